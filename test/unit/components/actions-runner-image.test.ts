import { describe, expect, it } from "vitest";
import type { ActionsRunnerImageArgs } from "../../../components/actions-runner-image.ts";
import { recordResources, valueOf } from "../../support/mocks.ts";

const RELEASE = { version: "2.337.0", released: "2026-09-15" };

async function runnerImage(args: Partial<ActionsRunnerImageArgs> = {}) {
  const resources = await recordResources();
  const { ActionsRunnerImage } = await import("../../../components/actions-runner-image.ts");
  const component = new ActionsRunnerImage("actions-runner", {
    repository: "localhost:5180/kiln/actions-runner",
    tag: "latest",
    platform: "linux/amd64",
    release: RELEASE,
    buildOnPreview: false,
    ...args,
  });
  const image = await valueOf(component.image);
  return { image, resources, build: resources.find(({ type }) => type === "docker:index/image:Image")?.inputs };
}

describe("the actions runner's image", () => {
  it("is one docker.Image, run by the digest that was pushed", async () => {
    const { image, resources, build } = await runnerImage();
    expect(resources.map(({ type, name }) => `${type} ${name}`).sort()).toEqual([
      "docker:index/image:Image actions-runner",
      "kiln:image:ActionsRunnerImage actions-runner",
    ]);
    expect(image).toBe(`localhost:5180/kiln/actions-runner@sha256:${"d".repeat(64)}`);
    expect(build).toEqual({
      imageName: "localhost:5180/kiln/actions-runner:latest",
      build: {
        context: "images/actions-runner",
        dockerfile: "images/actions-runner/Dockerfile",
        args: {
          ACTIONS_RUNNER_IMAGE: "ghcr.io/actions/actions-runner:2.337.0",
          RUNNER_VERSION: "2.337.0",
          RUNNER_RELEASED: "2026-09-15",
        },
        platform: "linux/amd64",
      },
      buildOnPreview: false,
      skipPush: false,
    });
  });

  it("takes another registry's release, tools and certificates where they are named", async () => {
    const { build } = await runnerImage({
      base: "mirror.example/runner@sha256:1",
      tools: "tools:1",
      certificates: "ca:1",
    });
    expect(build).toMatchObject({
      build: {
        args: { ACTIONS_RUNNER_IMAGE: "mirror.example/runner@sha256:1", TOOLS_IMAGE: "tools:1", CA_IMAGE: "ca:1" },
      },
    });
  });

  it("without a release takes the Dockerfile's, and records none", async () => {
    const { build } = await runnerImage({ release: undefined });
    expect(build).toMatchObject({ build: { args: {} } });
    expect(JSON.stringify(build)).not.toContain("RUNNER_");
  });
});
