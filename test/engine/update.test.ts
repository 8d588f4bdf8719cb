import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EngineProject } from "../support/engine-project.ts";

const WARM = `localhost:5180/kiln/base-images/iac-runner-warm@sha256:${"a".repeat(64)}`;
const IMAGE = "localhost:5180/kiln/base-images/iac-runner";
const STACK = "test-engine";

let project: EngineProject;

beforeAll(async () => {
  project = await EngineProject.create();
  const [salt] = /^encryptionsalt: .*$/m.exec(await project.read("stacks/Pulumi.local.yaml")) ?? [""];
  const config = `config:\n  kiln:registry: localhost:5180\n  kiln:warmImage: ${WARM}\n`;
  await project.write(`stacks/Pulumi.${STACK}.yaml`, `${salt}\n${config}`);
  await project.pulumi("stack", "init", STACK, "--no-select");
});

afterAll(() => project.remove());

async function up() {
  const result = await project.pulumi("up", "--yes", "--skip-preview", "--stack", STACK);
  expect(result.code, result.stdout).toBe(0);
  return result.stdout;
}

async function image(): Promise<string> {
  return (await project.pulumi("stack", "output", "image", "--stack", STACK)).stdout.trim();
}

describe("updates of one stack, one after the other", () => {
  it("the first builds and pushes one image, and gives its digest", async () => {
    expect(await up()).toContain("+ 4 created");
    const context = "images/iac-runner";
    expect(await project.dockerCalls()).toEqual([
      [
        "build",
        ...["--tag", `${IMAGE}:${STACK}`, "--file", `${context}/Dockerfile.merged`, "--platform", "linux/amd64"],
        ...["--build-arg", `WARM=${WARM}`, "--progress", "plain", context],
      ],
      ["push", `${IMAGE}:${STACK}`],
    ]);
    expect(await image()).toMatch(new RegExp(`^${IMAGE}@sha256:[0-9a-f]{64}$`));
  });

  it("the second changes nothing", async () => {
    expect(await up()).toContain("4 unchanged");
    const preview = await project.pulumi("preview", "--expect-no-changes", "--stack", STACK);
    expect(preview.code, preview.stdout).toBe(0);
    expect(await project.dockerCalls()).toEqual([]);
  });

  it("an edited file of the context changes exactly the image", async () => {
    const before = await image();
    await project.write("images/iac-runner/Dockerfile.merged", "ARG WARM\nFROM ${WARM}\nLABEL edited=yes\n");
    expect(await project.planned(STACK)).toEqual(["update docker:index/image:Image"]);
    expect(await up()).toMatch(/~ 1 updated[\s\S]*3 unchanged/);
    expect((await project.dockerCalls()).map(([command]) => command)).toEqual(["build", "push"]);
    expect(await image()).not.toBe(before);
  });

  it("the end takes the image from this machine and leaves the registry alone", async () => {
    const destroyed = await project.pulumi("destroy", "--yes", "--skip-preview", "--stack", STACK);
    expect(destroyed.code, destroyed.stdout).toBe(0);
    expect(await project.dockerCalls()).toEqual([["rmi", `${IMAGE}:${STACK}`]]);
  });
});
