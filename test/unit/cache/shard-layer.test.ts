import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CacheManifest, ProviderClosure } from "../../../cache/manifest.ts";
import { shardLayer } from "../../../cache/shard-layer.ts";
import { EMPTY_MANIFEST } from "./cache-directory.ts";

const names = (alphabet: string) =>
  fc.uniqueArray(fc.constantFrom(...alphabet.split(",")), { maxLength: 6 }).map((list) => list.sort());
const closure: fc.Arbitrary<ProviderClosure> = fc.record({
  goBuild: names("a,b,c,d,e,f,g,h"),
  goMod: names("M,N,O,P"),
  sources: names("m,n,o,p"),
});
const manifest: fc.Arbitrary<CacheManifest> = fc
  .dictionary(fc.constantFrom("base", "aws", "gcp"), closure)
  .map((closures) => ({ ...EMPTY_MANIFEST, closures, spare: ["P"], goModMetadata: ["M", "N", "O", "P", "Q"] }));

const all = (found: CacheManifest, part: keyof ProviderClosure) =>
  [...new Set(Object.values(found.closures).flatMap((one) => one[part]))].sort();

describe("shardLayer", () => {
  it("has every entry that is not elsewhere once, and every module whole", () => {
    fc.assert(
      fc.property(manifest, names("a,b,c,d,e,f,g,h"), (found, others) => {
        const elsewhere = new Set(others);
        const layer = shardLayer("shard-1", found, elsewhere);
        expect(layer.goBuild).toEqual(all(found, "goBuild").filter((name) => !elsewhere.has(name)));
        expect(layer.goMod).toEqual(all(found, "goMod"));
        expect(layer.sources).toEqual(all(found, "sources"));
        // Version data of each module once, besides sources or with them.
        expect([...layer.goMod, ...layer.goModMetadata].sort()).toEqual(["M", "N", "O", "P", "Q"]);
      }),
    );
  });

  it("counts finished programs among its entries, and none that are elsewhere", () => {
    const closures = { aws: { goBuild: ["a", "b", "c"], goMod: [], sources: [] } };
    const program = (output: string) => ({ action: "a", output, bytes: 1 });
    const programs = { one: program("b"), two: program("c") };
    expect(shardLayer("aws", { ...EMPTY_MANIFEST, closures, programs }, new Set(["c"])).programs).toEqual(["b"]);
  });
});
