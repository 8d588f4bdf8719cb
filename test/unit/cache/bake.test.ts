import { beforeEach, describe, expect, it, vi } from "vitest";
import { bake, type BakeOptions } from "../../../cache/bake.ts";
import { usedTag } from "../../../cache/used-tag.ts";
import { silent } from "../../../progress.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const KNOWN = `sha256:${"a".repeat(64)}`;
const registry = vi.hoisted(() => ({ tags: new Map<string, string>(), verified: true }));
vi.mock("../../../registry/client.ts", async (original) => ({
  ...(await original<object>()),
  readDigest: (_: unknown, { tag }: { tag: string }) => Promise.resolve(registry.tags.get(tag)),
  readImageManifest: () => Promise.resolve({ layers: [{ digest: "sha256:l", size: 1 }] }),
}));
vi.mock("../../../registry/tag-manifest.ts", () => ({
  tagManifest: (_: unknown, { digest }: { digest: string }, tag: string) =>
    Promise.resolve(void registry.tags.set(tag, digest)),
}));
vi.mock("../../../cache/record.ts", () => ({
  readRecord: () => Promise.resolve(registry.verified ? { record: {}, digest: "sha256:r" } : { faults: ["none"] }),
}));
vi.mock("../../../cache/inputs.ts", () => ({ inputsKey: () => Promise.resolve("0".repeat(64)) }));
vi.mock("../../../cache/programs.ts", () => ({ readPrograms: () => Promise.resolve({ programs: [] }) }));
vi.mock("../../../cache/gocache.ts", () => ({ readGocache: () => Promise.resolve({ digest: "g", server: {} }) }));
vi.mock("../../../cache/base.ts", () => ({
  baseRecipe: () => Promise.resolve([]),
  readyWarmBase: () => Promise.resolve({}),
}));
vi.mock("../../../cache/plugins/bake.ts", () => ({
  readPluginBake: () => Promise.resolve({ recipe: [] }),
  pushPlugins: () => Promise.resolve({ layers: [], labels: {}, plugins: [] }),
}));

const from = vi.fn(() => Promise.reject(new Error("shard base of this plan is not in the registry")));
let options: BakeOptions;

beforeEach(async () => {
  from.mockClear();
  registry.tags.clear();
  registry.verified = true;
  const work = await temporaryDirectory();
  const given = { places: { work }, client: { regctl: "none" }, repository: "localhost:5180/warm", from };
  options = { ...given, allowFailed: [], platform: "linux/amd64", progress: silent } as unknown as BakeOptions;
});

describe("a bake of inputs that were baked before", () => {
  it("asks for no shard, which may be gone, and keeps the image from a clean-up for the day", async () => {
    registry.tags.set(`inputs-${"0".repeat(32)}`, KNOWN);
    expect(await bake(options)).toMatchObject({ reused: true, warmImage: `localhost:5180/warm@${KNOWN}` });
    expect(from).not.toHaveBeenCalled();
    expect(registry.tags.get(usedTag(KNOWN, Date.now()))).toBe(KNOWN);
  });

  it("asks for them where the image is not there, or was never verified", async () => {
    await expect(bake(options)).rejects.toThrow("shard base");
    registry.tags.set(`inputs-${"0".repeat(32)}`, KNOWN);
    registry.verified = false;
    await expect(bake(options)).rejects.toThrow("shard base");
    expect([from.mock.calls.length, registry.tags.size]).toEqual([2, 1]);
  });

  it("asks for them too where nobody vouches for the image under that tag, and takes it where somebody does", async () => {
    registry.tags.set(`inputs-${"0".repeat(32)}`, KNOWN);
    const asked: string[] = [];
    const reuse = (isVouchedFor: boolean) => ({
      takes: ({ digest }: { readonly digest: string }, tag: string) => {
        asked.push(`${tag}@${digest}`);
        return Promise.resolve(isVouchedFor);
      },
      vouch: () => Promise.resolve(),
    });
    await expect(bake({ ...options, reuse: reuse(false) })).rejects.toThrow("shard base");
    expect(await bake({ ...options, reuse: reuse(true) })).toMatchObject({ reused: true });
    expect(new Set(asked)).toEqual(new Set([`inputs-${"0".repeat(32)}@${KNOWN}`]));
  });
});
