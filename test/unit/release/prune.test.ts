import { beforeEach, describe, expect, it, vi } from "vitest";
import { usedTag } from "../../../cache/used-tag.ts";
import { silent } from "../../../progress.ts";
import { registryRemover, type ImageRemover } from "../../../release/image-remover.ts";
import { prune, type PruneOptions } from "../../../release/prune.ts";
import { NOTE_TAG } from "../../../release/registry-tag.ts";
import { BUNDLE_TYPE } from "../../../release/supply/bundle.ts";
import { memory, useMemory } from "../../support/memory-client.ts";
import { putAny, type Deletions } from "../../support/memory-manifests.ts";
import { MemoryRegistry } from "../../support/memory-registry.ts";

vi.mock("../../../registry/client.ts", async (original) =>
  (await import("../../support/memory-client.ts")).clientInMemory(original),
);

const WARM = "localhost:5180/kiln/base-images/iac-runner-warm";
const RUNNER = "localhost:5180/kiln/base-images/iac-runner";
const HOUR = 3_600_000;
const START = Date.parse("2026-01-01T00:00:00Z");
const KEY = "0123456789abcdef0123456789abcdef";

let registry: MemoryRegistry;
let deletions: Deletions;

beforeEach(() => {
  registry = new MemoryRegistry();
  deletions = { refused: new Set(), leavesTags: false };
  useMemory(registry, deletions);
});

/** By default the stacks name an image that is not there: the repository is theirs, and all in it is unused. */
const run = (options: Partial<PruneOptions> = {}) => {
  const remover = registryRemover(registry.client);
  const roots = [root(`sha256:${"0".repeat(64)}`)];
  return prune({
    ...{ client: registry.client, repositories: [WARM], roots, removerOf: () => remover },
    ...{ now: START, graceMs: 0, dryRun: false, progress: silent, ...options },
  });
};

/** An image with a layer of its own, a record that refers to it, and tags. */
function putImage(name: string, ...tags: readonly string[]): { readonly image: string; readonly record: string } {
  const layers = [{ mediaType: "l", digest: `sha256:${name}`, size: 100 }];
  const config = { mediaType: "c", digest: `sha256:config-${name}`, size: 10 };
  const image = putAny(registry, WARM, { schemaVersion: 2, config, layers }, ...tags);
  const subject = { mediaType: "m", digest: image, size: 1 };
  return { image, record: putAny(registry, WARM, { schemaVersion: 2, config, layers: [], subject }) };
}

const root = (digest: string) => ({ repository: WARM, digest, reason: "stacks/Pulumi.prod.yaml at abc1234" });
const present = () => [...registry.repository(WARM).manifests.keys()].sort();
const note = () => registry.repository(WARM).tags.get(NOTE_TAG);

describe("a clean-up", () => {
  it("leaves the seal of an image that stays, and takes that of one that goes", async () => {
    const seal = (digest: string) => {
      const config = { mediaType: "c", digest: `sha256:empty`, size: 2 };
      const subject = { mediaType: "m", digest, size: 1 };
      const bundles = ["signature", "sbom", "provenance"].map((part) =>
        putAny(registry, WARM, { schemaVersion: 2, artifactType: BUNDLE_TYPE, config, layers: [], subject, part }),
      );
      // As a registry without the referrers API lists them, and as cosign 2 attached its own.
      const manifests = bundles.map((bundle) => ({ mediaType: "m", digest: bundle, size: 1 }));
      const list = putAny(registry, WARM, { schemaVersion: 2, manifests }, digest.replace(":", "-"));
      const old = { schemaVersion: 2, config, layers: [{ mediaType: "l", digest: `${digest}-sig`, size: 3 }] };
      return [...bundles, list, putAny(registry, WARM, old, `${digest.replace(":", "-")}.sig`)];
    };
    const [kept, gone] = [putImage("kept"), putImage("gone", `inputs-${KEY}`)];
    const [stays, goes] = [seal(kept.image), seal(gone.image)];
    const done = await run({ roots: [root(kept.image)] });
    expect(done.removed.map(({ digest }) => digest)).toEqual(
      expect.arrayContaining([gone.image, gone.record, ...goes]),
    );
    expect(present()).toEqual([kept.image, kept.record, ...stays].sort());
  });

  it("leaves exactly what is named and what belongs to that", async () => {
    const kept = putImage("kept");
    const release = putImage("release", "v1.2.3");
    putImage("old", `inputs-${KEY}`);
    const index = putAny(registry, WARM, { manifests: [{ digest: putImage("part").image }] }, `promoted-${KEY}`);
    const done = await run({ roots: [root(kept.image)] });
    expect(present()).toEqual([kept.image, kept.record, release.image, release.record].sort());
    expect(done.removed.at(-1)?.digest).toBe(index);
    expect([done.failed, note()]).toEqual([[], undefined]);
    expect(await run({ roots: [root(kept.image)] })).toMatchObject({ remove: [], failed: [] });
  });

  it("changes nothing on a dry run", async () => {
    putImage("old", `inputs-${KEY}`);
    const before = present();
    const planned = await run({ dryRun: true, graceMs: 24 * HOUR });
    expect([planned.remove, (await run({ dryRun: true })).remove.length]).toEqual([[], 2]);
    expect([present(), registry.writes]).toEqual([before, []]);
  });

  it("deletes what no date is known of only once it has seen it unused for the grace period", async () => {
    const old = putImage("old", `inputs-${KEY}`);
    const after = (hours: number) => run({ now: START + hours * HOUR, graceMs: 24 * HOUR });
    expect(await after(0)).toMatchObject({ remove: [], removed: [], failed: [] });
    const first = note();
    expect(first).toBeDefined();
    expect((await after(23)).removed).toEqual([]);
    expect(note()).toBe(first);
    const young = putImage("young", `layer-aws-${KEY}`);
    expect((await after(25)).removed.map(({ digest, ageMs }) => [digest, ageMs])).toEqual([
      [old.record, 25 * HOUR],
      [old.image, 25 * HOUR],
    ]);
    expect(present()).toEqual([young.image, young.record, note() ?? ""].sort());
    await after(50);
    expect(present()).toEqual([]);
    expect(registry.repository(WARM).tags.size).toBe(0);
  });

  it("takes the tags of uses that are over from what stays", async () => {
    const { image } = putImage("kept");
    const tags = [48, 0].map((hours) => usedTag(image, START + 12 * HOUR - hours * HOUR));
    for (const tag of tags) registry.repository(WARM).tags.set(tag, image);
    const done = await run({ roots: [root(image)], now: START + 12 * HOUR, graceMs: 24 * HOUR });
    expect([done.failed, [...registry.repository(WARM).tags.keys()]]).toEqual([[], tags.slice(1)]);
    expect(present()).toContain(image);
  });

  it("begins to count anew for what was named meanwhile", async () => {
    const { image } = putImage("old", `inputs-${KEY}`);
    const after = (hours: number, roots = [root(image)]) =>
      run({ now: START + hours * HOUR, graceMs: 24 * HOUR, roots });
    const others = [root(`sha256:${"0".repeat(64)}`)];
    await after(0, others);
    await after(20);
    expect(note()).toBeUndefined();
    await after(30, others);
    expect((await after(53, others)).removed).toEqual([]);
    expect((await after(54, others)).removed).toHaveLength(2);
  });

  it("leaves a repository alone of which no stack names an image, as in a wrong checkout", async () => {
    putImage("theirs", `inputs-${KEY}`);
    for (const roots of [[], [{ ...root(`sha256:${"0".repeat(64)}`), repository: "localhost:5180/other" }]]) {
      expect(await run({ roots })).toMatchObject({ repositories: [], skipped: [WARM], keep: [], remove: [] });
    }
    expect(present()).toHaveLength(2);
  });

  it("goes by the dates of a registry that tells them, and finds what has no tag", async () => {
    const [old, young] = [putImage("old"), putImage("young")];
    const dates = new Map(
      [...Object.values(old), ...Object.values(young)].map((digest) => [digest, START - 30 * HOUR]),
    );
    dates.set(young.image, START - HOUR);
    const remover: ImageRemover = { ...registryRemover(registry.client), readVersions: () => Promise.resolve(dates) };
    const done = await run({ removerOf: () => remover, graceMs: 24 * HOUR });
    expect(done.removed.map(({ digest }) => digest)).toEqual([old.record, old.image]);
    expect(present()).toEqual([young.image, young.record].sort());
  });

  it("knows runner images by the layers of a warm image in a repository that is not cleaned up", async () => {
    const { image } = putImage("kept");
    const layers = [{ mediaType: "l", digest: "sha256:kept", size: 100 }];
    const runner = putAny(registry, RUNNER, { config: { mediaType: "c", digest: "sha256:other", size: 1 }, layers });
    const other = putAny(registry, RUNNER, { config: { mediaType: "c", digest: "sha256:none", size: 1 }, layers: [] });
    const dates = new Map([runner, other].map((digest) => [digest, 0]));
    const remover: ImageRemover = { ...registryRemover(registry.client), readVersions: () => Promise.resolve(dates) };
    await run({ repositories: [RUNNER], roots: [root(image)], removerOf: () => remover });
    expect([...registry.repository(RUNNER).manifests.keys()]).toEqual([runner]);
    expect(present()).toHaveLength(2);
  });
});

describe("a released runner image", () => {
  /** Puts a runner image of a warm one, as a stack's bring-up pushes it. */
  const putRunner = (name: string, base: string, ...tags: readonly string[]) => {
    const text = JSON.stringify({ config: { Labels: { "org.opencontainers.image.base.name": `${WARM}@${base}` } } });
    const config = registry.putBlob(RUNNER, text);
    return putAny(
      registry,
      RUNNER,
      { config, layers: [{ mediaType: "l", digest: `sha256:${name}`, size: 100 }] },
      ...tags,
    );
  };

  it.each([[[WARM, RUNNER]], [[WARM]]])(
    "keeps the warm image that its label names, in a clean-up of %j",
    async (of) => {
      const [named, released, old] = [putImage("named"), putImage("released", `inputs-${KEY}`), putImage("old")];
      for (const { image } of [old]) registry.repository(WARM).tags.set(`verified-aws-${KEY}`, image);
      putRunner("released", released.image, "v1.0.0");
      putRunner("old", old.image, `used-20250101-0123456789ab`);
      const done = await run({ repositories: of, roots: [root(named.image)] });
      expect(done.failed).toEqual([]);
      expect(done.keep.find(({ digest }) => digest === released.image)?.reason).toMatch(/^warm image of sha256:/);
      expect(present()).toEqual([named.image, named.record, released.image, released.record].sort());
    },
  );

  it("that does not say what it was made from ends the clean-up before anything goes", async () => {
    putImage("old", `inputs-${KEY}`);
    const runner = putRunner("released", `sha256:${"1".repeat(64)}`, "v1.0.0");
    memory.functions.readBlobText = () => Promise.reject(new Error("connection reset"));
    await expect(run({ repositories: [WARM, RUNNER] })).rejects.toThrow("connection reset");
    expect([present().length, registry.repository(RUNNER).manifests.has(runner)]).toEqual([2, true]);
  });
});

describe("a repository that is not there", () => {
  const registryOf = (missing: string) => {
    const remover = registryRemover(registry.client);
    const there = (repository: string) =>
      new Map([...registry.repository(repository).manifests.keys()].map((one) => [one, 0]));
    const readVersions = (repository: string) =>
      Promise.resolve(repository === missing ? undefined : there(repository));
    return () => ({ ...remover, readVersions });
  };

  it("is empty, and the others are cleaned up", async () => {
    const { image } = putImage("kept");
    putImage("old", `inputs-${KEY}`);
    const options = { repositories: [WARM, RUNNER], roots: [root(image)], removerOf: registryOf(RUNNER) };
    const done = await run(options);
    expect([done.repositories, done.removed.length, done.failed]).toEqual([[WARM, RUNNER], 2, []]);
  });

  it("keeps runner images whose warm images it should have: nobody could say which of them run", async () => {
    const layers = [{ mediaType: "l", digest: "sha256:kept", size: 100 }];
    const runner = putAny(registry, RUNNER, { config: { mediaType: "c", digest: "sha256:o", size: 1 }, layers });
    const roots = [root(`sha256:${"1".repeat(64)}`)];
    const done = await run({ repositories: [WARM, RUNNER], roots, removerOf: registryOf(WARM) });
    expect(done).toMatchObject({ repositories: [WARM], skipped: [RUNNER], removed: [], failed: [] });
    expect([...registry.repository(RUNNER).manifests.keys()]).toEqual([runner]);
  });
});

describe("what changes between plan and deletion", () => {
  /** Runs with something that happens as the first deletion begins. */
  const meanwhile = (happens: () => void) => run({ progress: { ...silent, update: happens } });

  it("is a new tag: the image stays with its record, and the next run knows why", async () => {
    const { image, record } = putImage("old", `inputs-${KEY}`);
    const done = await meanwhile(() => registry.repository(WARM).tags.set("v2.0.0", image));
    expect(done.failed).toEqual([
      { what: `${WARM}@${image}`, reason: expect.stringContaining("got the tag v2.0.0 since the plan") as string },
      { what: `${WARM}@${record}`, reason: `it belongs to ${image.slice(0, 19)}, which stays` },
    ]);
    expect(present()).toEqual([image, record, note() ?? ""].sort());
    const next = await run();
    expect([next.remove, next.failed]).toEqual([[], []]);
    expect(present()).toEqual([image, record].sort());
  });

  it("is a tag that moved elsewhere", async () => {
    const tag = `inputs-${KEY}`;
    const { image, record } = putImage("old", tag);
    const { image: other } = putImage("other", "v1.0.0");
    const done = await meanwhile(() => registry.repository(WARM).tags.set(tag, other));
    expect(done.failed.map(({ what }) => what)).toEqual([`${WARM}@${image}`, `${WARM}@${record}`]);
    expect(done.failed[0]?.reason).toContain(`${tag} has moved to ${other}`);
  });

  it("is an image that is gone: that is no failure", async () => {
    const { image } = putImage("old", `inputs-${KEY}`);
    const done = await meanwhile(() => registry.repository(WARM).manifests.delete(image));
    expect([done.failed, present()]).toEqual([[], []]);
  });
});

describe("a deletion that fails", () => {
  it("is named, the others go on, and what it belongs to stays to lead to it", async () => {
    const [one, two] = [putImage("one", `inputs-${KEY}`), putImage("two", `layer-aws-${KEY}`)];
    deletions.refused.add(one.record);
    const done = await run();
    expect(done.failed).toEqual([
      { what: `${WARM}@${one.record}`, reason: `no permission for ${one.record}` },
      { what: `${WARM}@${one.image}`, reason: `${one.record.slice(0, 19)}, which belongs to it, is still there` },
    ]);
    expect(done.removed.map(({ digest }) => digest)).toEqual([two.record, two.image]);
    expect(present()).toEqual([one.image, one.record, note() ?? ""].sort());
    deletions.refused.clear();
    await run();
    expect(present()).toEqual([]);
  });

  it("leaves no tag that points to nothing", async () => {
    putImage("old", `inputs-${KEY}`);
    deletions.leavesTags = true;
    await run();
    expect([present(), [...registry.repository(WARM).tags.keys()]]).toEqual([[], []]);
  });
});
