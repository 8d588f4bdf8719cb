import { beforeEach, describe, expect, it, vi } from "vitest";
import { platformIndexCommand } from "../../../../cli/release/platform-index.ts";
import { silent } from "../../../../progress.ts";
import type { joinSealed } from "../../../../release/platform-index.ts";

const REPOSITORY = "ghcr.io/your-org/your-repo/base-images/iac-runner";
const IMAGE = `${REPOSITORY}@sha256:${"a".repeat(64)}`;

const asked = vi.hoisted(() => ({ stacks: [] as readonly string[] }));
vi.mock("../../../../toolchain/resolve.ts", () => ({ resolveTool: () => Promise.resolve({ path: "regctl" }) }));
vi.mock("../../../../release/platform-index.ts", () => ({
  joinSealed: ({ images, demands }: Parameters<typeof joinSealed>[0]) => {
    asked.stacks = demands.map(({ stack }) => stack);
    const [image] = images;
    return Promise.resolve({ ...image, images: images.map((one) => ({ image: one, platform: "linux/amd64" })) });
  },
}));

const index = (values: Readonly<Record<string, string | readonly string[]>>) =>
  platformIndexCommand.run({ values, positionals: [], progress: silent });

beforeEach(() => {
  asked.stacks = [];
});

describe("kiln release index", () => {
  it("prints the index and nothing else, for a workflow to take", async () => {
    const json = { index: IMAGE, platforms: [{ platform: "linux/amd64", image: IMAGE }] };
    expect(await index({ image: [IMAGE] })).toEqual({ json, text: IMAGE });
  });

  it("asks for the seal that the stacks of the repository demand, and that of the one who signs, wherever an image is", async () => {
    await index({ image: [IMAGE] });
    expect(asked.stacks).toEqual(["dev"]);
    const elsewhere = IMAGE.replace("your-repo", "other");
    await index({ image: [elsewhere] });
    expect(asked.stacks).toEqual([]);
    await index({ image: [elsewhere], stack: "dev" });
    expect(asked.stacks).toEqual(["dev"]);
    await index({ image: [elsewhere], stack: "local" });
    expect(asked.stacks).toEqual([]);
  });

  it.each([
    [{}, "--image is missing"],
    [{ image: [`${REPOSITORY}:latest`] }, "is no image by digest"],
    [{ image: [IMAGE], stack: "nowhere" }, "there is no stacks/Pulumi.nowhere.yaml"],
  ])("refuses %j", async (values, said) => {
    await expect(index(values)).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining(said) as string,
    });
  });
});
