import { describe, expect, it } from "vitest";
import {
  buildArguments,
  buildImage,
  pushedDigest,
  repositoryOf,
} from "../../../../../toolchain/plugins/docker-provider/docker-build.ts";
import { withDefaults } from "../../../../../toolchain/plugins/docker-provider/image-inputs.ts";

describe("buildArguments", () => {
  it("says all that the inputs say, the context last", () => {
    const inputs = withDefaults({
      imageName: "localhost:5180/a:latest",
      build: {
        context: "images/a",
        dockerfile: "images/a/Dockerfile.merged",
        platform: "linux/amd64",
        target: "standalone",
        args: { WARM: "w", MODULES: "m/{provider}/{module}" },
        cacheFrom: { images: ["c:1"] },
        addHosts: ["proxy:10.0.0.1"],
        network: "host",
      },
    });
    expect(buildArguments(inputs)).toEqual([
      "build",
      ...["--tag", "localhost:5180/a:latest"],
      ...["--file", "images/a/Dockerfile.merged"],
      ...["--platform", "linux/amd64"],
      ...["--target", "standalone"],
      ...["--network", "host"],
      ...["--build-arg", "WARM=w", "--build-arg", "MODULES=m/{provider}/{module}"],
      ...["--cache-from", "c:1"],
      ...["--add-host", "proxy:10.0.0.1"],
      ...["--progress", "plain"],
      "images/a",
    ]);
  });
});

describe("buildImage", () => {
  it("pushes nothing beyond this machine", async () => {
    const inputs = withDefaults({ imageName: "ghcr.io/acme/infra/base-images/iac-runner:latest" });
    await expect(buildImage(inputs, () => undefined)).rejects.toThrow(
      "pushes to this machine only, not to ghcr.io/acme",
    );
  });
});

describe("pushedDigest", () => {
  const digest = `sha256:${"a".repeat(64)}`;

  it("reads the line that docker prints last", () => {
    const output = `The push refers to repository [localhost:5180/a]\nabc: Mounted from b\nv1: digest: ${digest} size: 1\n`;
    expect(pushedDigest(output, "localhost:5180/a:v1")).toBe(digest);
  });

  it("does without a digest in no case", () => {
    expect(() => pushedDigest("denied", "localhost:5180/a:v1")).toThrow(
      "docker push localhost:5180/a:v1 printed no digest",
    );
  });
});

describe("repositoryOf", () => {
  it.each([
    ["localhost:5180/a:v1", "localhost:5180/a"],
    ["localhost:5180/a", "localhost:5180/a"],
    ["a:v1", "a"],
  ])("%s is %s", (name, repository) => {
    expect(repositoryOf(name)).toBe(repository);
  });
});
