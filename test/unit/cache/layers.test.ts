import fc from "fast-check";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { COMMON_LAYER, layerKey, partition, type CacheLayer } from "../../../cache/layers.ts";
import { writeLooseLayer } from "../../../cache/loose-layer.ts";
import type { CacheManifest, ProviderClosure } from "../../../cache/manifest.ts";
import { EMPTY_MANIFEST, entriesOf, writeCache, writeText } from "./cache-directory.ts";

/** What a provider reads, where a test is about some of it only. */
const reads = (closure: Partial<ProviderClosure>): ProviderClosure => ({
  goBuild: [],
  goMod: [],
  sources: [],
  ...closure,
});

function manifestOf(
  closures: Readonly<Record<string, Partial<ProviderClosure>>>,
  more: Partial<CacheManifest> = {},
): CacheManifest {
  const whole = Object.entries(closures).map(([provider, closure]) => [provider, reads(closure)] as const);
  return { ...EMPTY_MANIFEST, closures: Object.fromEntries(whole), ...more };
}

const READS = { package: "m.example/x", sources: "0".repeat(64), archives: ["1".repeat(16)] };

/** A layer, where a test is about some of it only. */
const holding = (layer: Partial<CacheLayer> & Pick<CacheLayer, "name">): CacheLayer => ({
  ...{
    goBuild: [],
    whole: [],
    beside: [],
    programs: [],
    reads: [],
    goMod: [],
    spare: [],
    sources: [],
    ghosts: [],
    goModMetadata: [],
  },
  binaries: [],
  ...layer,
});

describe("partition", () => {
  it("puts what two providers read into a common layer, which comes first", () => {
    const layers = partition(
      manifestOf(
        {
          gcp: { goBuild: ["g", "s"], goMod: ["gcp@v1", "sdk@v1"], sources: ["gcp@v1/g.go", "sdk@v1/s.go"] },
          aws: { goBuild: ["a", "s"], goMod: ["aws@v1", "sdk@v1"], sources: ["sdk@v1/a.go", "sdk@v1/s.go"] },
        },
        { goModMetadata: ["aws@v1", "gcp@v1", "sdk@v1", "only-mod@v1"] },
      ),
    );
    expect(layers).toEqual([
      holding({
        name: "common",
        goBuild: ["s"],
        goMod: ["sdk@v1"],
        sources: ["sdk@v1/s.go"],
        goModMetadata: ["only-mod@v1"],
      }),
      holding({ name: "aws", goBuild: ["a"], goMod: ["aws@v1"], sources: ["sdk@v1/a.go"] }),
      holding({ name: "gcp", goBuild: ["g"], goMod: ["gcp@v1"], sources: ["gcp@v1/g.go"] }),
    ]);
  });

  it("knows outputs of the repository's own packages, finished programs, and modules without an index", () => {
    const [layer] = partition(
      manifestOf(
        { aws: { goBuild: ["1-d", "2-d", "3-d", "4-d"], goMod: ["a@v1", "b@v1"] } },
        {
          objects: { "1-d": "fmt", "2-d": "./lib", "3-d": "a/x@v1" },
          programs: { "m/aws/x": { action: "4-a", output: "4-d", bytes: 1, reads: READS } },
          spare: ["b@v1", "c@v1"],
        },
      ),
    );
    expect(layer).toMatchObject({ whole: ["2-d"], programs: ["4-d"], reads: [READS], spare: ["b@v1"] });
  });

  it("leaves entries and sources out of an image of binaries, and binaries out of one of caches", () => {
    const inputs = { programs: {}, goFiles: {}, packages: {} };
    const binary = { file: "binaries/aws", bytes: 1, names: { "m/aws/x": "aws-x" } };
    const more = { file: "binaries/aws+2", bytes: 1, names: { "m/aws/y": "aws-y" } };
    const manifest = manifestOf(
      { aws: { goBuild: ["1-a"], goMod: ["a@v1"], sources: ["a@v1/a.go"] } },
      { delivery: "both", goModMetadata: ["a@v1", "b@v1"], inputs: { aws: inputs }, binaries: { aws: [binary, more] } },
    );
    const common = holding({ name: "common", goModMetadata: ["b@v1"] });
    expect(partition(manifest, "binaries")).toEqual([
      common,
      holding({ name: "aws", ghosts: ["a@v1"], binaries: [binary, more], inputs }),
    ]);
    const caches = { name: "aws", goBuild: ["1-a"], goMod: ["a@v1"], sources: ["a@v1/a.go"], inputs };
    expect(partition(manifest, "cache")).toEqual([common, holding(caches)]);
    expect(partition(manifest)).toEqual([common, holding({ ...caches, binaries: [binary, more] })]);
  });

  it("has nothing in common for one provider but the go.mod files that nobody's sources belong to", () => {
    const closures = { aws: { goBuild: ["a"], goMod: ["aws@v1"] } };
    expect(partition(manifestOf(closures)).map(({ name }) => name)).toEqual(["aws"]);
    expect(partition(manifestOf(closures, { goModMetadata: ["t@v1"] }))).toEqual([
      holding({ name: "common", goModMetadata: ["t@v1"] }),
      holding({ name: "aws", goBuild: ["a"], goMod: ["aws@v1"] }),
    ]);
  });

  it("does not take the base shard for a provider", () => {
    const closures = { base: { goBuild: ["a", "b"] }, aws: { goBuild: ["a"] } };
    expect(partition(manifestOf(closures))).toEqual([holding({ name: "aws", goBuild: ["a"] })]);
  });

  it("makes no empty layer", () => {
    const same = { goBuild: ["a"] };
    expect(partition(manifestOf({ aws: same, gcp: same })).map(({ name }) => name)).toEqual(["common"]);
    expect(partition(manifestOf({}))).toEqual([]);
  });

  it("gives a provider's inputs to its own layer, which it has even where all entries are shared", () => {
    const same = { goBuild: ["a"] };
    const inputs = { programs: {}, goFiles: {}, packages: {} };
    const layers = partition(manifestOf({ aws: same, gcp: same }, { inputs: { gcp: inputs } }));
    expect(layers.map((layer) => [layer.name, layer.inputs])).toEqual([
      ["common", undefined],
      ["gcp", inputs],
    ]);
  });

  const names = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d", "e", "f"));
  const closures = fc.dictionary(
    fc.constantFrom("aws", "gcp", "k8s", "azure"),
    fc.record({ goBuild: names, goMod: names, sources: names }),
  );

  it("puts every entry, module and file into exactly one layer, and a provider's own into no other's", () => {
    fc.assert(
      fc.property(closures, names, (read, goModMetadata) => {
        const layers = partition(manifestOf(read, { goModMetadata }));
        for (const part of ["goBuild", "goMod", "sources"] as const) {
          const placed = layers.flatMap((layer) => layer[part]);
          expect([...placed].sort()).toEqual([...new Set(Object.values(read).flatMap((each) => each[part]))].sort());
          for (const layer of layers) {
            for (const name of layer[part]) {
              const readers = Object.keys(read).filter((provider) =>
                read[provider]?.[part].some((each) => each === name),
              );
              expect(layer.name).toBe(readers.length > 1 ? COMMON_LAYER : readers[0]);
            }
          }
        }
        const known = new Set(layers.flatMap((layer) => [...layer.goMod, ...layer.goModMetadata]));
        for (const module of goModMetadata) expect(known.has(module)).toBe(true);
      }),
    );
  });

  it("does not depend on the order of providers", () => {
    const turned = (read: typeof closures extends fc.Arbitrary<infer T> ? T : never) =>
      Object.fromEntries(Object.entries(read).reverse());
    fc.assert(
      fc.property(closures, (read) => {
        expect(partition(manifestOf(turned(read)))).toEqual(partition(manifestOf(read)));
      }),
    );
  });
});

describe("layerKey", () => {
  const SDK = "github.com/Acme/sdk@v1.0.0";
  const DEEP = `example.com/${"long-name/".repeat(12)}mod@v0.0.1`;
  const ONLY_MOD = "example.com/only-mod@v1.0.0";
  const sdkFile = (file: string) => path.join("go-mod/cache/download/github.com/!acme/sdk/@v", file);
  let home: string;
  let cache: string;
  let layer: CacheLayer;

  beforeEach(async () => {
    home = await mkdtemp(path.join(tmpdir(), "kiln-layer-keys-"));
    cache = path.join(home, "cache");
    layer = await cacheAt(cache);
    return () => rm(home, { recursive: true });
  });

  async function cacheAt(directory: string): Promise<CacheLayer> {
    const modules = { aws: { packages: ["fmt", "aws"], modules: [SDK, DEEP] } };
    const manifest = await writeCache(directory, modules, { goModMetadata: [ONLY_MOD] });
    return holding({ name: "aws", ...manifest.closures.aws, goModMetadata: [ONLY_MOD] });
  }

  it.each<[string, (key: { action: string }) => [string, string]]>([
    ["an action entry", ({ action }) => [path.join("go-build", action), "other"]],
    ["the hash of a module's sources", () => [sdkFile("v1.0.0.ziphash"), "h1:other"]],
    ["a module's version data", () => [sdkFile("v1.0.0.info"), '{"Version":"v1.0.0","Origin":{}}']],
    ["a go.mod alone", () => ["go-mod/cache/download/example.com/only-mod/@v/v1.0.0.mod", "module other"]],
  ])("changes with %s, as the bytes do", async (_, change) => {
    const [key, written] = [await layerKey(cache, layer), await writeLooseLayer(cache, layer, path.join(home, "1.gz"))];
    const [file, text] = change(entriesOf("aws"));
    await writeFile(path.join(cache, file), text);
    expect((await writeLooseLayer(cache, layer, path.join(home, "2.gz"))).digest).not.toBe(written.digest);
    expect(await layerKey(cache, layer)).not.toBe(key);
  });

  it("changes with what is in the layer, and with its name, by which files of it go", async () => {
    const keys = await Promise.all(
      [
        layer,
        { ...layer, name: "gcp" },
        { ...layer, goBuild: layer.goBuild.slice(1) },
        { ...layer, goMod: [SDK], goModMetadata: [...layer.goModMetadata, DEEP] },
        { ...layer, goMod: [SDK], ghosts: [DEEP] },
      ].map((each) => layerKey(cache, each)),
    );
    expect(new Set(keys).size).toBe(5);
  });

  it("changes with the packer, and where there is one with what it is told", async () => {
    const keys = await Promise.all([
      layerKey(cache, layer),
      layerKey(cache, layer, "packer 1"),
      layerKey(cache, layer, "packer 2"),
      layerKey(cache, { ...layer, sources: layer.sources.slice(1) }, "packer 2"),
      layerKey(cache, { ...layer, whole: layer.goBuild.slice(1) }, "packer 2"),
      layerKey(cache, { ...layer, spare: [SDK] }, "packer 2"),
      layerKey(cache, { ...layer, beside: layer.goBuild.slice(1) }, "packer 2"),
      layerKey(cache, { ...layer, reads: [READS] }, "packer 2"),
    ]);
    expect(new Set(keys).size).toBe(8);
  });

  it("does not change for a loose layer, which has whole modules, with which files builds read", async () => {
    expect(await layerKey(cache, { ...layer, sources: [], spare: [SDK] })).toBe(await layerKey(cache, layer));
  });

  it("changes with a provider's binary and with its commands", async () => {
    const of = (command: string) => ({
      ...layer,
      binaries: [{ file: "binaries/aws", bytes: 1, names: { "m/aws/x": command } }],
    });
    await writeText(path.join(cache, "binaries/aws"), "1");
    const keys = await Promise.all([layer, of("a"), of("b")].map((each) => layerKey(cache, each)));
    await writeText(path.join(cache, "binaries/aws"), "2");
    expect(new Set([...keys, await layerKey(cache, of("b"))]).size).toBe(4);
  });

  it("changes with what the programs were built from, as the bytes do", async () => {
    const of = (digest: string) => ({
      ...layer,
      inputs: { programs: {}, goFiles: {}, packages: { "m/aws/x": { "main.go": digest } } },
    });
    const keys = await Promise.all([layer, of("1"), of("2")].map((each) => layerKey(cache, each)));
    expect(new Set(keys).size).toBe(3);
    const written = await Promise.all(
      [of("1"), of("1"), of("2")].map((each, index) => writeLooseLayer(cache, each, path.join(home, `i${index}.gz`))),
    );
    expect(written[1]?.digest).toBe(written[0]?.digest);
    expect(written[2]?.digest).not.toBe(written[0]?.digest);
  });

  it("is the same for the same content elsewhere", async () => {
    const other = await cacheAt(path.join(home, "other"));
    expect(await layerKey(path.join(home, "other"), other)).toBe(await layerKey(cache, layer));
  });
});
