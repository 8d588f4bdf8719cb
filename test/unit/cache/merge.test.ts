import fc from "fast-check";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import type { CacheManifest } from "../../../cache/manifest.ts";
import { mergeCaches, mergeManifests } from "../../../cache/merge.ts";
import { CONTRACT, entriesOf, writeCache, type Reads } from "./cache-directory.ts";

function manifestOf(more: Partial<CacheManifest>): CacheManifest {
  return {
    ...{ version: 1, contract: CONTRACT, modules: [], failed: {}, closures: {}, goModMetadata: [] },
    counts: { goBuildEntries: 0, goModules: 0, bytes: 0 },
    ...more,
  };
}

describe("mergeManifests", () => {
  it("unites all that shards say", () => {
    const one = manifestOf({
      modules: ["m/b", "m/a"],
      failed: { "m/x": "no" },
      closures: { aws: { goBuild: ["b", "a"], goMod: ["s@v1"] } },
      goModMetadata: ["s@v1", "t@v1"],
    });
    const two = manifestOf({
      modules: ["m/c", "m/a"],
      failed: { "m/y": "neither" },
      closures: { aws: { goBuild: ["c", "a"], goMod: ["r@v1"] }, gcp: { goBuild: ["d"], goMod: [] } },
      goModMetadata: ["s@v1"],
    });
    const sources = [one, two].map((manifest, index) => ({ directory: `d${index}`, manifest }));
    expect(mergeManifests(sources)).toEqual({
      version: 1,
      contract: CONTRACT,
      modules: ["m/a", "m/b", "m/c"],
      failed: { "m/x": "no", "m/y": "neither" },
      closures: { aws: { goBuild: ["a", "b", "c"], goMod: ["r@v1", "s@v1"] }, gcp: { goBuild: ["d"], goMod: [] } },
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
      closures: fc.dictionary(name, fc.record({ goBuild: names, goMod: names })),
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
    const sources = [
      { directory: "/a", manifest: manifestOf({}) },
      { directory: "/b", manifest: manifestOf({}) },
      { directory: "/c", manifest: manifestOf({ contract: other }) },
    ];
    expect(() => mergeManifests(sources)).toThrow(
      expect.objectContaining({
        kind: "usage",
        message:
          '/a and /c were warmed differently:\n  Go version: "go1.26.8", "go1.26.7"\n' +
          '  build flags: "-buildvcs=false -trimpath -ldflags=-w -s", "-trimpath"',
      }),
    );
  });

  it("refuses to merge nothing", () => {
    expect(() => mergeManifests([])).toThrow("nothing to merge");
  });
});

describe("mergeCaches", () => {
  let home: string;

  beforeEach(async () => {
    home = await mkdtemp(path.join(tmpdir(), "kiln-merge-"));
    return () => rm(home, { recursive: true });
  });

  const at = (...parts: readonly string[]) => path.join(home, ...parts);
  const AWS: Reads = {
    aws: { packages: ["fmt", "aws"], modules: ["example.com/sdk@v1.0.0", "example.com/aws@v1.0.0"] },
  };
  const GCP: Reads = {
    gcp: { packages: ["fmt", "gcp"], modules: ["example.com/sdk@v1.0.0", "example.com/gcp@v1.0.0"] },
  };

  it("holds all of both by links, and counts it", async () => {
    await writeCache(at("aws"), AWS, { goModMetadata: ["example.com/only-mod@v0.1.0"] });
    await writeCache(at("gcp"), GCP);
    const manifest = await mergeCaches(at("out"), [at("aws"), at("gcp")]);

    const files = await filesOf("out");
    expect(files).toEqual([...new Set([...(await filesOf("aws")), ...(await filesOf("gcp"))])].sort());
    const { output } = entriesOf("gcp");
    expect((await stat(at("out/go-build", output))).ino).toBe((await stat(at("gcp/go-build", output))).ino);
    expect(manifest.modules).toEqual(["m/aws/x", "m/gcp/x"]);
    expect(manifest.counts).toMatchObject({ goBuildEntries: 6, goModules: 3 });
    expect(manifest.counts.bytes).toBeGreaterThan(0);
    expect(JSON.parse(await readFile(at("out/manifest.json"), "utf8"))).toEqual(manifest);
    expect((await readdir(home)).sort()).toEqual(["aws", "gcp", "out"]);
  });

  it("takes the base shard's cache in", async () => {
    await writeCache(at("base"), { base: { packages: ["fmt", "shared"], modules: [] } }, { modules: [] });
    await writeCache(at("aws"), AWS);
    const manifest = await mergeCaches(at("out"), [at("base"), at("aws")]);
    expect(manifest.modules).toEqual(["m/aws/x"]);
    expect(Object.keys(manifest.closures)).toEqual(["aws", "base"]);
    expect(await filesOf("out")).toContain(`go-build/${entriesOf("shared").output}`);
  });

  it("is the same in any order, and again over itself", async () => {
    await writeCache(at("aws"), AWS);
    await writeCache(at("gcp"), GCP);
    await mergeCaches(at("one"), [at("aws"), at("gcp")]);
    await mergeCaches(at("other"), [at("gcp"), at("aws")]);
    await mergeCaches(at("again"), [at("one"), at("aws"), at("other")]);
    const one = await contentsOf("one");
    expect(await contentsOf("other")).toEqual(one);
    expect(await contentsOf("again")).toEqual(one);
  });

  it("replaces one of the caches that it merges", async () => {
    await writeCache(at("aws"), AWS);
    await writeCache(at("gcp"), GCP);
    await mergeCaches(at("aws"), [at("aws"), at("gcp")]);
    expect(await filesOf("aws")).toContain(`go-build/${entriesOf("gcp").output}`);
    expect(await filesOf("aws")).toContain(`go-build/${entriesOf("aws").output}`);
  });

  it.each([
    ["of another size", (text: string) => `${text}!`],
    ["of the same size", (text: string) => text.replace(/.$/s, "!")],
  ])("refuses one name for two contents %s, naming both caches, and leaves nothing", async (_, damage) => {
    await writeCache(at("aws"), AWS);
    await writeCache(at("gcp"), GCP);
    const file = `go-build/${entriesOf("fmt").output}`;
    await writeFile(at("gcp", file), damage(await readFile(at("gcp", file), "utf8")));
    await expect(mergeCaches(at("out"), [at("aws"), at("gcp")])).rejects.toMatchObject({
      kind: "failed",
      message: `${file} differs between ${at("aws")} and ${at("gcp")}`,
    });
    expect((await readdir(home)).sort()).toEqual(["aws", "gcp"]);
  });

  it("sees a difference beyond the first megabyte", async () => {
    for (const directory of ["aws", "gcp"]) {
      await writeCache(at(directory), { [directory]: { packages: [], modules: [] } });
      const big = Buffer.alloc(3 << 20);
      if (directory === "gcp") big[(2 << 20) + 1] = 1;
      await writeCache(at(directory), { [directory]: { packages: ["big"], modules: [] } });
      await writeFile(at(directory, "go-build", entriesOf("big").output), big);
    }
    await expect(mergeCaches(at("out"), [at("aws"), at("gcp")])).rejects.toThrow("differs between");
  });

  it("refuses what is no cache", async () => {
    await writeCache(at("aws"), AWS);
    await expect(mergeCaches(at("out"), [at("aws"), at("none")])).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining(`${at("none")}/manifest.json is not a cache directory`) as string,
    });
    expect(await readdir(home)).toEqual(["aws"]);
  });

  async function filesOf(folder: string): Promise<readonly string[]> {
    const entries = await readdir(at(folder), { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(at(folder), path.join(entry.parentPath, entry.name)))
      .sort();
  }

  async function contentsOf(folder: string): Promise<Readonly<Record<string, string>>> {
    const contents: Record<string, string> = {};
    for (const file of await filesOf(folder)) contents[file] = await readFile(at(folder, file), "utf8");
    return contents;
  }
});
