import { describe, expect, it } from "vitest";
import type { RunnerImageArgs } from "../../../components/runner-image.ts";
import { parseSettings, recipeOf } from "../../../settings.ts";
import { recordResources, valueOf } from "../../support/mocks.ts";

const IMAGE = "docker:index/image:Image";
const WARM = `localhost:5180/kiln/base-images/iac-runner-warm@sha256:${"a".repeat(64)}`;

async function runnerImage(raw: Readonly<Record<string, unknown>>, args: Partial<RunnerImageArgs> = {}) {
  const resources = await recordResources();
  const { RunnerImage } = await import("../../../components/runner-image.ts");
  const recipe = recipeOf(parseSettings("local", { registry: "localhost:5180", ...raw }));
  const runner = new RunnerImage("iac-runner", {
    repository: "localhost:5180/kiln/base-images/iac-runner",
    tag: "latest",
    platform: "linux/amd64",
    recipe,
    buildOnPreview: false,
    ...args,
  });
  const image = await valueOf(runner.image);
  const build = resources.find(({ type }) => type === IMAGE);
  return { runner, image, build, resources };
}

describe("a merged runner image", () => {
  it("is one docker.Image whose only build argument is the warm image", async () => {
    const { build, resources } = await runnerImage({ warmImage: WARM });
    expect(resources.map(({ type, name }) => `${type} ${name}`).sort()).toEqual([
      "docker:index/image:Image iac-runner",
      "kiln:image:RunnerImage iac-runner",
    ]);
    expect(build?.inputs).toEqual({
      imageName: "localhost:5180/kiln/base-images/iac-runner:latest",
      build: {
        context: "images/iac-runner",
        dockerfile: "images/iac-runner/Dockerfile.merged",
        args: { WARM },
        platform: "linux/amd64",
      },
      buildOnPreview: false,
      skipPush: false,
    });
  });

  it("is consumed by the digest that was pushed, never by its tag", async () => {
    const { image } = await runnerImage({ warmImage: WARM });
    expect(image).toBe(`localhost:5180/kiln/base-images/iac-runner@sha256:${"d".repeat(64)}`);
  });

  it("says which warm image it is made of and where its check is recorded", async () => {
    const { runner } = await runnerImage({ warmImage: WARM });
    expect(await valueOf(runner.warmImage)).toBe(WARM);
    expect((await valueOf(runner.verification))?.of).toBe(WARM);
  });

  it("is a child of its component", async () => {
    const { runner } = await runnerImage({ warmImage: WARM });
    expect(await valueOf(runner.urn)).toBe("urn:pulumi:test-unit::kiln::kiln:image:RunnerImage::iac-runner");
  });
});

describe("a standalone runner image", () => {
  const standalone = { image: { dockerfile: "standalone" } };

  it("is built from the project with the base and the modules as arguments", async () => {
    const { build } = await runnerImage(standalone, { platform: "linux/arm64", buildOnPreview: true });
    expect(build?.inputs.build).toEqual({
      context: ".",
      dockerfile: "images/iac-runner/Dockerfile",
      target: "standalone",
      args: { BASE_IMAGE: "docker.io/library/debian:bookworm-slim", MODULES: "examples/modules/{provider}/{module}" },
      platform: "linux/arm64",
    });
    expect(build?.inputs.buildOnPreview).toBe(true);
  });

  it("takes its tools and certificates from images where they are named", async () => {
    const { build } = await runnerImage({
      image: { dockerfile: "standalone", tools: "tools:1", certificates: "ca:1" },
    });
    expect(build?.inputs.build).toMatchObject({ args: { TOOLS_IMAGE: "tools:1", CA_IMAGE: "ca:1" } });
  });

  it("has no warm image and no record", async () => {
    const { runner } = await runnerImage(standalone);
    expect(await valueOf(runner.warmImage)).toBeUndefined();
    expect(await valueOf(runner.verification)).toBeUndefined();
  });
});
