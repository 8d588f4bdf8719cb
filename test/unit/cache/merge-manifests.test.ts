import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CacheManifest } from "../../../cache/manifest.ts";
import { mergeManifests } from "../../../cache/merge-manifests.ts";
import { CONTRACT, EMPTY_MANIFEST } from "./cache-directory.ts";

function manifestOf(more: Partial<CacheManifest>): CacheManifest {
  return { ...EMPTY_MANIFEST, ...more };
}

function sourcesOf(...manifests: readonly Partial<CacheManifest>[]) {
  return manifests.map((more, index) => ({ directory: `/${"abc"[index] ?? ""}`, manifest: manifestOf(more) }));
}

const built = (name: string) => ({ action: `${name}-a`, output: `${name}-d`, bytes: 1 });

describe("mergeManifests", () => {
  it("unites all that shards say", () => {
    const one = manifestOf({
      modules: ["m/b", "m/a"],
      failed: { "m/x": "no" },
      closures: { aws: { goBuild: ["b", "a"], goMod: ["s@v1"], sources: ["s@v1/s.go"] } },
      programs: { "m/b": built("b"), "m/a": built("a") },
      objects: { b: "lib", a: "fmt" },
      goModMetadata: ["s@v1", "t@v1"],
    });
    const two = manifestOf({
      modules: ["m/c", "m/a"],
      failed: { "m/y": "neither" },
      closures: {
        gcp: { goBuild: ["d"], goMod: [], sources: [] },
        aws: { goBuild: ["c", "a"], goMod: ["r@v1"], sources: ["r@v1/r.go"] },
      },
      programs: { "m/c": built("c") },
      objects: { b: "./also", c: "net" },
      goModMetadata: ["s@v1"],
    });
    const sources = [one, two].map((manifest, index) => ({ directory: `d${index}`, manifest }));
    expect(mergeManifests(sources)).toEqual({
      version: 2,
      contract: CONTRACT,
      delivery: "cache",
      modules: ["m/a", "m/b", "m/c"],
      failed: { "m/x": "no", "m/y": "neither" },
      closures: {
        aws: { goBuild: ["a", "b", "c"], goMod: ["r@v1", "s@v1"], sources: ["r@v1/r.go", "s@v1/s.go"] },
        gcp: { goBuild: ["d"], goMod: [], sources: [] },
      },
      programs: { "m/a": built("a"), "m/b": built("b"), "m/c": built("c") },
      objects: { a: "fmt", b: "./also", c: "net" },
      spare: [],
      goModMetadata: ["s@v1", "t@v1"],
    });
  });

  it("unites what providers' programs were built from, over all shards of one provider", () => {
    const of = (program: string) => ({
      programs: { [program]: { goFiles: ["go.mod"], packages: ["shared", program], modules: {} } },
      goFiles: { "go.mod": { go: "1.26" } },
      packages: { shared: { "s.go": "1" }, [program]: { "main.go": program } },
    });
    const shards = [{ aws: of("m/b") }, { aws: of("m/a"), gcp: of("m/c") }, undefined];
    const sources = shards.map((inputs, index) => ({
      directory: `d${index}`,
      manifest: manifestOf(inputs === undefined ? {} : { inputs }),
    }));
    const { inputs } = mergeManifests(sources);
    expect(Object.keys(inputs ?? {})).toEqual(["aws", "gcp"]);
    expect(Object.keys(inputs?.aws?.programs ?? {})).toEqual(["m/a", "m/b"]);
    expect(Object.keys(inputs?.aws?.packages ?? {})).toEqual(["m/a", "m/b", "shared"]);
    expect(inputs?.gcp).toEqual(of("m/c"));
    expect(mergeManifests(sources.slice(2))).not.toHaveProperty("inputs");
  });

  const name = fc.constantFrom("a", "b", "c", "d");
  const names = fc.array(name);
  const manifest = fc
    .record({
      modules: names,
      failed: fc.dictionary(name, fc.constant("no")),
      closures: fc.dictionary(name, fc.record({ goBuild: names, goMod: names, sources: names })),
      programs: fc.dictionary(name, fc.constant(built("x"))),
      objects: fc.dictionary(name, name),
      spare: names,
      goModMetadata: names,
    })
    .map(manifestOf);
  const merged = (manifests: readonly CacheManifest[]) => ({
    ...mergeManifests(manifests.map((each, index) => ({ directory: `d${index}`, manifest: each }))),
    counts: manifestOf({}).counts,
  });

  it("does not depend on the order of shards, and merging again changes nothing", () => {
    const shuffled = fc
      .array(manifest, { minLength: 1, maxLength: 4 })
      .chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })));
    fc.assert(
      fc.property(shuffled, ([one, other]) => {
        expect(merged(other)).toEqual(merged(one));
        expect(merged([merged(one), ...one])).toEqual(merged(one));
      }),
    );
  });

  it("merges of merges are the merge of all", () => {
    fc.assert(
      fc.property(manifest, manifest, manifest, (a, b, c) => {
        expect(merged([merged([a, b]), c])).toEqual(merged([a, merged([b, c])]));
      }),
    );
  });

  it("refuses what was warmed differently, naming both and each difference", () => {
    const other = { ...CONTRACT, goVersion: "go1.26.7", flags: ["-trimpath"] };
    expect(() => mergeManifests(sourcesOf({}, {}, { contract: other }))).toThrow(
      expect.objectContaining({
        kind: "usage",
        message:
          '/a and /c were warmed differently:\n  Go version: "go1.26.8", "go1.26.7"\n' +
          '  build flags: "-buildvcs=false -trimpath -ldflags=-w -s", "-trimpath"',
      }),
    );
  });

  it("refuses shards whose programs are delivered differently", () => {
    expect(() => mergeManifests(sourcesOf({}, { delivery: "both" }))).toThrow(
      expect.objectContaining({
        kind: "usage",
        message: "/a and /b were warmed differently:\n  programs: cache against both",
      }),
    );
  });

  it("calls a module spare only where no shard compiles it", () => {
    const closure = (...goMod: readonly string[]) => ({ aws: { goBuild: [], goMod, sources: [] } });
    const one = { closures: closure("both@v1", "one@v1"), spare: ["both@v1", "one@v1"] };
    const compiles = { closures: closure("both@v1"), spare: [] };
    expect(mergeManifests(sourcesOf(one, compiles)).spare).toEqual(["one@v1"]);
    expect(mergeManifests(sourcesOf(one, { spare: ["both@v1"] })).spare).toEqual(["both@v1", "one@v1"]);
  });

  it("takes the binaries of all providers, and refuses two of one that hold other programs", () => {
    const binary = (provider: string, directory: string) => ({
      [provider]: [{ file: `binaries/${provider}`, bytes: 1, names: { [directory]: "x" } }],
    });
    const shards = [binary("gcp", "m/g"), binary("aws", "m/a"), undefined].map((binaries) =>
      binaries === undefined ? {} : { binaries },
    );
    expect(Object.keys(mergeManifests(sourcesOf(...shards)).binaries ?? {})).toEqual(["aws", "gcp"]);
    expect(mergeManifests(sourcesOf({}))).not.toHaveProperty("binaries");
    const other = { binaries: binary("aws", "m/b") };
    expect(() => mergeManifests(sourcesOf(...shards.slice(1), other))).toThrow(
      "/a and /c have binaries of other programs of aws",
    );
  });

  it("refuses to merge nothing", () => {
    expect(() => mergeManifests([])).toThrow("nothing to merge");
  });
});
