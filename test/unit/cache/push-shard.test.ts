import { beforeEach, describe, expect, it, vi } from "vitest";
import { pushShard, type PushShardOptions } from "../../../cache/shard-image.ts";
import { CONTRACT } from "./cache-directory.ts";

const done = vi.hoisted(() => [] as string[]);
vi.mock("../../../cache/shard-layer.ts", () => ({
  shardLayer: () => ({ name: "shard", goBuild: ["entry"], goMod: [] }),
}));
vi.mock("../../../cache/write-layer.ts", () => ({ writeLayer: () => Promise.resolve({ file: "/none", size: 1 }) }));
vi.mock("../../../registry/push-layer.ts", () => ({
  pushLayer: (_: unknown, __: unknown, { tag }: { readonly tag?: string }) => {
    done.push(`push ${tag ?? "without a tag"}`);
    return Promise.resolve("sha256:shard");
  },
}));
vi.mock("../../../registry/attach-document.ts", () => ({
  attachDocument: (_: unknown, { digest }: { readonly digest: string }) =>
    Promise.resolve(void done.push(`attach entries to ${digest}`)),
}));

const push = (id: string, options: Partial<PushShardOptions> = {}) =>
  pushShard({
    ...{ client: { regctl: "none" }, repository: "localhost:5180/warm", tag: `shard-${id}-0`, cache: "/none" },
    ...{ shard: { id, programs: [], packages: {}, cost: 1 }, manifest: { contract: CONTRACT } as never },
    ...{ elsewhere: new Set<string>(), packer: {} as never, scratch: "/none", ...options },
  });

beforeEach(() => {
  done.length = 0;
});

describe("pushShard", () => {
  const vouch = ({ digest }: { readonly digest: string }, tag: string) =>
    Promise.resolve(void done.push(`vouch for ${digest} as ${tag}`));

  it.each<[string, readonly string[]]>([
    ["base", ["attach entries to sha256:shard"]],
    ["shard-1", []],
  ])("tags %s only once all that it stands with is attached", async (id, entries) => {
    const [first, last] = ["push without a tag", `push shard-${id}-0`];
    expect(await push(id, { reuse: { vouch } })).toMatchObject({ image: "localhost:5180/warm@sha256:shard" });
    expect(done).toEqual([first, ...entries, `vouch for sha256:shard as shard-${id}-0`, last]);
    done.length = 0;
    await push(id);
    expect(done).toEqual([...(entries.length > 0 ? [first, ...entries] : []), last]);
  });
});
