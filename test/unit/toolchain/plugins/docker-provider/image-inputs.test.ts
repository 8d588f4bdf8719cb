import { describe, expect, it } from "vitest";
import { needsBuild, withDefaults } from "../../../../../toolchain/plugins/docker-provider/image-inputs.ts";
import type { ImageInputs, ImageState } from "../../../../../toolchain/plugins/docker-provider/image-inputs.ts";

const GIVEN: ImageInputs = {
  imageName: "localhost:5180/a:latest",
  build: { context: "images/a", platform: "linux/amd64", args: { WARM: "w" }, contextDigest: "sha256:1" },
  registry: { server: "localhost:5180", username: "me", password: "old" },
};

function stateOf(inputs: ImageInputs): ImageState {
  const checked = withDefaults(inputs);
  return {
    ...checked,
    baseImageName: checked.imageName,
    context: checked.build.context,
    dockerfile: checked.build.dockerfile,
    platform: checked.build.platform,
    registryServer: checked.registry?.server ?? "",
    repoDigest: "localhost:5180/a@sha256:2",
  };
}

describe("withDefaults", () => {
  it("fills in what the official provider fills in", () => {
    expect(withDefaults({ imageName: "a" }, "x64")).toEqual({
      imageName: "a",
      build: { context: ".", dockerfile: "Dockerfile", platform: "linux/amd64" },
      buildOnPreview: false,
      skipPush: false,
    });
  });

  it("looks for the Dockerfile in the context", () => {
    expect(withDefaults(GIVEN).build.dockerfile).toBe("images/a/Dockerfile");
  });
});

describe("needsBuild", () => {
  it.each<[string, Partial<ImageInputs>, boolean]>([
    ["nothing", {}, false],
    ["the credentials", { registry: { server: "localhost:5180", username: "you", password: "new" } }, false],
    ["building on preview", { buildOnPreview: true }, false],
    ["the registry", { registry: { server: "localhost:5181" } }, true],
    ["the name", { imageName: "localhost:5180/a:v2" }, true],
    ["the content", { build: { ...GIVEN.build, contextDigest: "sha256:9" } }, true],
    ["a build argument", { build: { ...GIVEN.build, args: { WARM: "v" } } }, true],
    ["the platform", { build: { ...GIVEN.build, platform: "linux/arm64" } }, true],
    ["the push", { skipPush: true }, true],
  ])("when %s changes: %j -> %s", (_, change, needed) => {
    expect(needsBuild(stateOf(GIVEN), withDefaults({ ...GIVEN, ...change }))).toBe(needed);
  });

  it("when a build never came to its end", () => {
    const { repoDigest, ...unfinished } = stateOf(GIVEN);
    expect(repoDigest).not.toBe("");
    expect(needsBuild(unfinished, withDefaults(GIVEN))).toBe(true);
  });
});
