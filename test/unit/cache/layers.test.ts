import fc from "fast-check";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { gunzipSync } from "node:zlib";
import { extract, type Header } from "tar-stream";
import { beforeEach, describe, expect, it } from "vitest";
import { inputsLine } from "../../../cache/explain/build-inputs.ts";
import { COMMON_LAYER, layerKey, partition, writeLayer, type CacheLayer } from "../../../cache/layers.ts";
import type { CacheManifest, ProviderClosure } from "../../../cache/manifest.ts";
import { interruption } from "../../../toolchain/process.ts";
import { CONTRACT, entriesOf, sha256, writeCache } from "./cache-directory.ts";

function manifestOf(
  closures: Readonly<Record<string, ProviderClosure>>,
  goModMetadata: readonly string[] = [],
): CacheManifest {
  const counts = { goBuildEntries: 0, goModules: 0, bytes: 0 };
  return { version: 1, contract: CONTRACT, modules: [], failed: {}, closures, goModMetadata, counts };
}

describe("partition", () => {
  it("puts what two providers read into a common layer, which comes first", () => {
    const layers = partition(
      manifestOf(
        {
          gcp: { goBuild: ["g", "s"], goMod: ["sdk@v1", "gcp@v1"] },
          aws: { goBuild: ["a", "s"], goMod: ["sdk@v1", "aws@v1"] },
        },
        ["aws@v1", "gcp@v1", "sdk@v1", "only-mod@v1"],
      ),
    );
    expect(layers).toEqual([
      { name: "common", goBuild: ["s"], goMod: ["sdk@v1"], goModMetadata: ["only-mod@v1"] },
      { name: "aws", goBuild: ["a"], goMod: ["aws@v1"], goModMetadata: [] },
      { name: "gcp", goBuild: ["g"], goMod: ["gcp@v1"], goModMetadata: [] },
    ]);
  });

  it("has nothing in common for one provider but the go.mod files that nobody's sources belong to", () => {
    const closures = { aws: { goBuild: ["a"], goMod: ["aws@v1"] } };
    expect(partition(manifestOf(closures)).map(({ name }) => name)).toEqual(["aws"]);
    expect(partition(manifestOf(closures, ["t@v1"]))).toEqual([
      { name: "common", goBuild: [], goMod: [], goModMetadata: ["t@v1"] },
      { name: "aws", goBuild: ["a"], goMod: ["aws@v1"], goModMetadata: [] },
    ]);
  });

  it("does not take the base shard for a provider", () => {
    const closures = { base: { goBuild: ["a", "b"], goMod: [] }, aws: { goBuild: ["a"], goMod: [] } };
    expect(partition(manifestOf(closures))).toEqual([{ name: "aws", goBuild: ["a"], goMod: [], goModMetadata: [] }]);
  });

  it("makes no empty layer", () => {
    const same = { goBuild: ["a"], goMod: [] };
    expect(partition(manifestOf({ aws: same, gcp: same })).map(({ name }) => name)).toEqual(["common"]);
    expect(partition(manifestOf({}))).toEqual([]);
  });

  it("gives a provider's inputs to its own layer, which it has even where all entries are shared", () => {
    const same = { goBuild: ["a"], goMod: [] };
    const inputs = { programs: {}, goFiles: {}, packages: {} };
    const layers = partition({ ...manifestOf({ aws: same, gcp: same }), inputs: { gcp: inputs } });
    expect(layers.map((layer) => [layer.name, layer.inputs])).toEqual([
      ["common", undefined],
      ["gcp", inputs],
    ]);
  });

  const names = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d", "e", "f"));
  const closures = fc.dictionary(
    fc.constantFrom("aws", "gcp", "k8s", "azure"),
    fc.record({ goBuild: names, goMod: names }),
  );

  it("puts every entry into exactly one layer, and a provider's own into no other's", () => {
    fc.assert(
      fc.property(closures, names, (read, goModMetadata) => {
        const layers = partition(manifestOf(read, goModMetadata));
        for (const half of ["goBuild", "goMod"] as const) {
          const placed = layers.flatMap((layer) => layer[half]);
          expect([...placed].sort()).toEqual([...new Set(Object.values(read).flatMap((each) => each[half]))].sort());
          for (const layer of layers) {
            for (const name of layer[half]) {
              const readers = Object.keys(read).filter((provider) =>
                read[provider]?.[half].some((each) => each === name),
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

describe("a layer of a cache", () => {
  const SDK = "github.com/Acme/sdk@v1.0.0";
  const DEEP = `example.com/${"long-name/".repeat(12)}mod@v0.0.1`;
  let home: string;
  let cache: string;
  let layer: CacheLayer;

  beforeEach(async () => {
    home = await mkdtemp(path.join(tmpdir(), "kiln-layers-"));
    cache = path.join(home, "cache");
    layer = await cacheAt(cache);
    return () => rm(home, { recursive: true });
  });

  async function cacheAt(directory: string): Promise<CacheLayer> {
    const reads = { aws: { packages: ["fmt", "aws"], modules: [SDK, DEEP] } };
    const manifest = await writeCache(directory, reads, { goModMetadata: ["example.com/only-mod@v1.0.0"] });
    const { goBuild = [], goMod = [] } = manifest.closures.aws ?? {};
    return { name: "aws", goBuild, goMod, goModMetadata: ["example.com/only-mod@v1.0.0"] };
  }

  describe("layerKey", () => {
    const sdkFile = (file: string) => path.join("go-mod/cache/download/github.com/!acme/sdk/@v", file);

    it.each<[string, (key: { action: string }) => [string, string]]>([
      ["an action entry", ({ action }) => [path.join("go-build", action), "other"]],
      ["the hash of a module's sources", () => [sdkFile("v1.0.0.ziphash"), "h1:other"]],
      ["a module's version data", () => [sdkFile("v1.0.0.info"), '{"Version":"v1.0.0","Origin":{}}']],
      ["a go.mod alone", () => ["go-mod/cache/download/example.com/only-mod/@v/v1.0.0.mod", "module other"]],
    ])("changes with %s, as the bytes do", async (_, change) => {
      const [key, written] = [
        await layerKey(cache, layer),
        await writeLayer(cache, layer, path.join(home, "1.tar.gz")),
      ];
      const [file, text] = change(entriesOf("aws"));
      await writeFile(path.join(cache, file), text);
      expect((await writeLayer(cache, layer, path.join(home, "2.tar.gz"))).digest).not.toBe(written.digest);
      expect(await layerKey(cache, layer)).not.toBe(key);
    });

    it("changes with what is in the layer", async () => {
      const less = { ...layer, goBuild: layer.goBuild.slice(1) };
      const moved = { ...layer, goMod: [SDK], goModMetadata: [...layer.goModMetadata, DEEP] };
      const keys = await Promise.all([layer, less, moved].map((each) => layerKey(cache, each)));
      expect(new Set(keys).size).toBe(3);
    });

    it("changes with what the programs were built from, as the bytes do", async () => {
      const of = (digest: string) => ({
        ...layer,
        inputs: { programs: {}, goFiles: {}, packages: { "m/aws/x": { "main.go": digest } } },
      });
      const keys = await Promise.all([layer, of("1"), of("2")].map((each) => layerKey(cache, each)));
      expect(new Set(keys).size).toBe(3);
      const written = await Promise.all(
        [of("1"), of("1"), of("2")].map((each, index) => writeLayer(cache, each, path.join(home, `i${index}.tar.gz`))),
      );
      expect(written[1]?.digest).toBe(written[0]?.digest);
      expect(written[2]?.digest).not.toBe(written[0]?.digest);
    });

    it("is the same for the same content elsewhere, under any name", async () => {
      const other = await cacheAt(path.join(home, "other"));
      expect(await layerKey(path.join(home, "other"), { ...other, name: "x" })).toBe(await layerKey(cache, layer));
    });
  });

  describe("writeLayer", () => {
    it("writes the same bytes for the same content, whenever, wherever and by whomever it was made", async () => {
      const one = await writeLayer(cache, layer, path.join(home, "one.tar.gz"));
      const elsewhere = path.join(home, "elsewhere");
      const again = await cacheAt(elsewhere);
      const entries = await readdir(elsewhere, { recursive: true, withFileTypes: true });
      for (const entry of entries.filter((each) => each.isFile())) {
        const file = path.join(entry.parentPath, entry.name);
        await utimes(file, 1, 1);
        await chmod(file, 0o400);
      }
      const turned = { ...again, goMod: again.goMod.toReversed(), goModMetadata: again.goModMetadata.toReversed() };
      const two = await writeLayer(elsewhere, turned, path.join(home, "two.tar.gz"));
      expect(await readFile(two.file)).toEqual(await readFile(one.file));
      expect({ ...two, file: "" }).toEqual({ ...one, file: "" });
    });

    it("says the truth of its bytes", async () => {
      const written = await writeLayer(cache, layer, path.join(home, "new/folder/l.tar.gz"));
      const bytes = await readFile(written.file);
      expect(written.size).toBe(bytes.length);
      expect(written.digest).toBe(`sha256:${sha256(bytes)}`);
      expect(written.diffId).toBe(`sha256:${sha256(gunzipSync(bytes))}`);
      const files = (await entriesIn(written.file)).filter(({ type }) => type === "file");
      expect(written.contentBytes).toBe(files.reduce((sum, { size }) => sum + size, 0));
    });

    it("holds each file once, after its folders, in one order, at the image's paths", async () => {
      const { file } = await writeLayer(cache, layer, path.join(home, "l.tar.gz"));
      const all = (await entriesIn(file)).map(({ name }) => name);
      expect(new Set(all).size).toBe(all.length);
      const files = all.filter((name) => !name.endsWith("/"));
      const tree = (module: string) => [`var/cache/go-mod/${module}/a.go`, `var/cache/go-mod/${module}/internal/b.go`];
      const data = (stem: string) =>
        [".info", ".mod", ".ziphash"].map((suffix) => `var/cache/go-mod/cache/download/${stem}${suffix}`);
      expect(files.filter((name) => name.startsWith("var/cache/go-build/"))).toEqual(
        layer.goBuild.map((name) => `var/cache/go-build/${name}`),
      );
      expect(files.filter((name) => !name.startsWith("var/cache/go-build/"))).toEqual([
        ...data(DEEP.replace("@", "/@v/")),
        ...tree(DEEP),
        ...data("example.com/only-mod/@v/v1.0.0"),
        ...data("github.com/!acme/sdk/@v/v1.0.0"),
        ...tree("github.com/!acme/sdk@v1.0.0"),
      ]);
      for (const name of files) {
        const folder = `${path.posix.dirname(name)}/`;
        expect(all.indexOf(folder)).toBeGreaterThanOrEqual(0);
        expect(all.indexOf(folder)).toBeLessThan(all.indexOf(name));
      }
    });

    it("belongs to root, with the year 2100 on what Go would trim or touch", async () => {
      const { file } = await writeLayer(cache, layer, path.join(home, "l.tar.gz"));
      for (const { name, uid, gid, mtime, pax, type, mode } of await entriesIn(file)) {
        expect([uid, gid], name).toEqual([0, 0]);
        expect(mtime.toISOString(), name).toBe("1980-01-01T00:00:00.000Z");
        const built = type === "file" && name.startsWith("var/cache/go-build/");
        expect((pax as Record<string, string> | null)?.mtime, name).toBe(built ? "4102444800" : undefined);
        if (type === "file") expect(mode, name).toBe(0o644);
      }
    });

    it("opens the caches' folders to every user, sticky, but not those inside a module", async () => {
      const { file } = await writeLayer(cache, layer, path.join(home, "l.tar.gz"));
      const modes = new Map((await entriesIn(file)).map(({ name, mode }) => [name, mode]));
      const { output } = entriesOf("aws");
      for (const [name, mode] of [
        ["var/", 0o755],
        ["var/cache/", 0o755],
        ["var/cache/go-build/", 0o1777],
        [`var/cache/go-build/${output.slice(0, 3)}`, 0o1777],
        ["var/cache/go-mod/", 0o1777],
        ["var/cache/go-mod/cache/", 0o1777],
        ["var/cache/go-mod/cache/download/github.com/!acme/sdk/@v/", 0o1777],
        ["var/cache/go-mod/github.com/", 0o1777],
        ["var/cache/go-mod/github.com/!acme/", 0o1777],
        ["var/cache/go-mod/github.com/!acme/sdk@v1.0.0/", 0o755],
        ["var/cache/go-mod/github.com/!acme/sdk@v1.0.0/internal/", 0o755],
      ] as const) {
        expect(modes.get(name)?.toString(8), name).toBe(mode.toString(8));
      }
    });

    it("carries what its programs were built from in a file that every user reads and none writes", async () => {
      const inputs = { programs: {}, goFiles: { "go.mod": { go: "1.26" } }, packages: {} };
      const written = await writeLayer(cache, { ...layer, inputs }, path.join(home, "l.tar.gz"));
      const entries = await entriesIn(written.file);
      const [file] = entries.filter(({ name }) => name.startsWith("usr/") && !name.endsWith("/"));
      const text = inputsLine("aws", inputs);
      expect([file?.name, file?.size, file?.mode]).toEqual([
        "usr/local/share/kiln/inputs/aws.json",
        text.length,
        0o644,
      ]);
      expect(gunzipSync(await readFile(written.file)).includes(text)).toBe(true);
      const folders = entries.filter(({ name }) => name.startsWith("usr/") && name.endsWith("/"));
      expect(folders.map(({ mode }) => mode)).toEqual(Array.from({ length: 5 }, () => 0o755));
      const files = entries.filter(({ type }) => type === "file");
      expect(written.contentBytes).toBe(files.reduce((sum, { size }) => sum + size, 0));
    });

    it("leaves no file where it fails: an entry that is not there, a module that is not, no place to write", async () => {
      const file = path.join(home, "out/l.tar.gz");
      const [known = ""] = layer.goBuild;
      await expect(writeLayer(cache, { ...layer, goBuild: [known, "aa/gone-d"] }, file)).rejects.toThrow("ENOENT");
      expect(await readdir(path.join(home, "out"))).toEqual([]);
      await expect(writeLayer(cache, { ...layer, goMod: ["example.com/gone@v1.0.0"] }, file)).rejects.toThrow("ENOENT");
      expect(await readdir(path.join(home, "out"))).toEqual([]);
      await mkdir(path.join(home, "blocked/l.tar.gz.partial"), { recursive: true });
      const blocked = writeLayer(cache, layer, path.join(home, "blocked/l.tar.gz"));
      await expect(blocked).rejects.toThrow();
      expect(await readdir(path.join(home, "blocked"))).not.toContain("l.tar.gz");
    });

    it("leaves the older file, and nothing else, when it is interrupted", async () => {
      const file = path.join(home, "out/l.tar.gz");
      const { digest } = await writeLayer(cache, layer, file);
      let asked = 0;
      Object.defineProperty(interruption.signal, "aborted", { configurable: true, get: () => ++asked > 3 });
      try {
        await expect(writeLayer(cache, layer, file)).rejects.toMatchObject({ kind: "interrupted" });
      } finally {
        Reflect.deleteProperty(interruption.signal, "aborted");
      }
      expect(asked).toBeGreaterThan(3);
      expect(await readdir(path.join(home, "out"))).toEqual(["l.tar.gz"]);
      expect(`sha256:${sha256(await readFile(file))}`).toBe(digest);
    });
  });
});

async function entriesIn(file: string): Promise<readonly Header[]> {
  const headers: Header[] = [];
  for await (const entry of Readable.from([gunzipSync(await readFile(file))]).pipe(extract())) {
    headers.push(entry.header);
    entry.resume();
  }
  return headers;
}
