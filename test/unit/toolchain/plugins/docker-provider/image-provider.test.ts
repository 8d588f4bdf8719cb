import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { withDefaults } from "../../../../../toolchain/plugins/docker-provider/image-inputs.ts";
import type { ImageState } from "../../../../../toolchain/plugins/docker-provider/image-inputs.ts";
import { ImageProvider } from "../../../../../toolchain/plugins/docker-provider/image-provider.ts";

const IMAGE = "urn:pulumi:dev::kiln::kiln:image:RunnerImage$docker:index/image:Image::iac-runner";
const INPUTS = withDefaults({ imageName: "localhost:5180/a:latest" });
const STATE: ImageState = {
  ...INPUTS,
  baseImageName: INPUTS.imageName,
  context: ".",
  dockerfile: "Dockerfile",
  platform: "linux/amd64",
  registryServer: "",
  repoDigest: "localhost:5180/a@sha256:1",
};

function quietProvider(): { provider: ImageProvider; lines: string[] } {
  const lines: string[] = [];
  const note = (line: string) => {
    lines.push(line);
    return Promise.resolve();
  };
  return { provider: new ImageProvider({ info: note, error: note, status: (_, line) => note(line) }), lines };
}

async function context(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), "kiln-image-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
}

describe("check", () => {
  it("adds the defaults and the digest of the content, and says once who answers", async () => {
    const { provider, lines } = quietProvider();
    const directory = await context();
    await writeFile(path.join(directory, "Dockerfile"), "FROM scratch\n");
    const inputs = { imageName: "localhost:5180/a:latest", build: { context: directory } };
    const checked = await provider.check(IMAGE, STATE, inputs);
    await provider.check(IMAGE, STATE, inputs);
    expect(checked.inputs).toMatchObject({
      build: { contextDigest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string },
      skipPush: false,
    });
    expect(lines).toEqual(["Using kiln's loopback docker plugin: the official one is not installed."]);
  });

  it("refuses a context without its Dockerfile", async () => {
    const directory = await context();
    const { failures } = await quietProvider().provider.check(IMAGE, STATE, {
      imageName: "localhost:5180/a:latest",
      build: { context: directory },
    });
    expect(failures?.map(({ property }) => property)).toEqual(["build"]);
    expect(failures?.[0]?.reason).toContain(path.join(directory, "Dockerfile"));
  });

  it("waits with the digest for what a preview does not know yet", async () => {
    const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
    const inputs = { imageName: "localhost:5180/a:latest", build: { context: unknown } };
    expect((await quietProvider().provider.check(IMAGE, STATE, inputs)).failures).toBeUndefined();
  });

  it("knows no other resource", async () => {
    const urn = "urn:pulumi:local::kiln::docker:index/network:Network::n";
    const { failures } = await quietProvider().provider.check(urn, STATE, INPUTS);
    expect(failures?.[0]?.reason).toContain("has only docker:index/image:Image");
  });
});

describe("a stack that is neither local nor a test's", () => {
  it.each<[string, (provider: ImageProvider) => Promise<unknown>]>([
    ["create", (provider) => provider.create(IMAGE, INPUTS)],
    ["update", (provider) => provider.update("id", IMAGE, STATE, INPUTS)],
    ["delete", (provider) => provider.delete("id", IMAGE, STATE)],
  ])("is not changed by %s", async (_, change) => {
    await expect(change(quietProvider().provider)).rejects.toThrow("stack dev can be previewed but not changed here");
  });
});
