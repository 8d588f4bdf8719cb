import { chmod, mkdir, mkdtemp, readdir, readFile, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { beforeEach, describe, expect, it } from "vitest";
import { inputsLine } from "../../../cache/explain/build-inputs.ts";
import { partition, type CacheLayer } from "../../../cache/layers.ts";
import { writeLooseLayer } from "../../../cache/loose-layer.ts";
import { interruption } from "../../../toolchain/process.ts";
import { entriesOf, sha256, writeCache } from "./cache-directory.ts";
import { entriesIn } from "./layer-listing.ts";

describe("writeLooseLayer", () => {
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
    const goModMetadata = ["example.com/only-mod@v1.0.0"];
    const [layer] = partition(await writeCache(directory, reads, { goModMetadata })).filter(
      ({ name }) => name === "aws",
    );
    if (layer === undefined) throw new Error("no layer of aws");
    return { ...layer, goModMetadata };
  }

  it("writes the same bytes for the same content, whenever, wherever and by whomever it was made", async () => {
    const one = await writeLooseLayer(cache, layer, path.join(home, "one.tar.gz"));
    const elsewhere = path.join(home, "elsewhere");
    const again = await cacheAt(elsewhere);
    const entries = await readdir(elsewhere, { recursive: true, withFileTypes: true });
    for (const entry of entries.filter((each) => each.isFile())) {
      const file = path.join(entry.parentPath, entry.name);
      await utimes(file, 1, 1);
      await chmod(file, 0o400);
    }
    const turned = { ...again, goMod: again.goMod.toReversed(), goModMetadata: again.goModMetadata.toReversed() };
    const two = await writeLooseLayer(elsewhere, turned, path.join(home, "two.tar.gz"));
    expect(await readFile(two.file)).toEqual(await readFile(one.file));
    expect({ ...two, file: "" }).toEqual({ ...one, file: "" });
  });

  it("says the truth of its bytes", async () => {
    const written = await writeLooseLayer(cache, layer, path.join(home, "new/folder/l.tar.gz"));
    const bytes = await readFile(written.file);
    expect(written.size).toBe(bytes.length);
    expect(written.digest).toBe(`sha256:${sha256(bytes)}`);
    expect(written.diffId).toBe(`sha256:${sha256(gunzipSync(bytes))}`);
    const files = (await entriesIn(written.file)).filter(({ type }) => type === "file");
    expect(written.contentBytes).toBe(files.reduce((sum, { size }) => sum + size, 0));
  });

  it("holds each file once, after its folders, in one order, at the image's paths", async () => {
    const { file } = await writeLooseLayer(cache, layer, path.join(home, "l.tar.gz"));
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
      ...data("example.com/only-mod/@v/v1.0.0"),
      ...data("github.com/!acme/sdk/@v/v1.0.0"),
      ...tree(DEEP),
      ...tree("github.com/!acme/sdk@v1.0.0"),
    ]);
    for (const name of files) {
      const folder = `${path.posix.dirname(name)}/`;
      expect(all.indexOf(folder)).toBeGreaterThanOrEqual(0);
      expect(all.indexOf(folder)).toBeLessThan(all.indexOf(name));
    }
  });

  it("belongs to root, with the year 2100 on what Go would trim or touch", async () => {
    const { file } = await writeLooseLayer(cache, layer, path.join(home, "l.tar.gz"));
    for (const { name, uid, gid, mtime, pax, type, mode } of await entriesIn(file)) {
      expect([uid, gid], name).toEqual([0, 0]);
      expect(mtime.toISOString(), name).toBe("1980-01-01T00:00:00.000Z");
      const built = type === "file" && name.startsWith("var/cache/go-build/");
      expect((pax as Record<string, string> | null)?.mtime, name).toBe(built ? "4102444800" : undefined);
      if (type === "file") expect(mode, name).toBe(0o644);
    }
  });

  it("opens the caches' folders to every user, sticky, but not those inside a module", async () => {
    const { file } = await writeLooseLayer(cache, layer, path.join(home, "l.tar.gz"));
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
    const written = await writeLooseLayer(cache, { ...layer, inputs }, path.join(home, "l.tar.gz"));
    const entries = await entriesIn(written.file);
    const [file] = entries.filter(({ name }) => name.startsWith("usr/") && !name.endsWith("/"));
    const text = inputsLine("aws", inputs);
    expect([file?.name, file?.size, file?.mode]).toEqual(["usr/local/share/kiln/inputs/aws.json", text.length, 0o644]);
    expect(gunzipSync(await readFile(written.file)).includes(text)).toBe(true);
    const folders = entries.filter(({ name }) => name.startsWith("usr/") && name.endsWith("/"));
    expect(folders.map(({ mode }) => mode)).toEqual(Array.from({ length: 5 }, () => 0o755));
    const files = entries.filter(({ type }) => type === "file");
    expect(written.contentBytes).toBe(files.reduce((sum, { size }) => sum + size, 0));
  });

  it("leaves no file where it fails: an entry that is not there, a module that is not, no place to write", async () => {
    const file = path.join(home, "out/l.tar.gz");
    const [known = ""] = layer.goBuild;
    await expect(writeLooseLayer(cache, { ...layer, goBuild: [known, "aa/gone-d"] }, file)).rejects.toThrow("ENOENT");
    expect(await readdir(path.join(home, "out"))).toEqual([]);
    await expect(writeLooseLayer(cache, { ...layer, goMod: ["example.com/gone@v1.0.0"] }, file)).rejects.toThrow(
      "ENOENT",
    );
    expect(await readdir(path.join(home, "out"))).toEqual([]);
    await mkdir(path.join(home, "blocked/l.tar.gz.partial"), { recursive: true });
    const blocked = writeLooseLayer(cache, layer, path.join(home, "blocked/l.tar.gz"));
    await expect(blocked).rejects.toThrow();
    expect(await readdir(path.join(home, "blocked"))).not.toContain("l.tar.gz");
  });

  it("leaves the older file, and nothing else, when it is interrupted", async () => {
    const file = path.join(home, "out/l.tar.gz");
    const { digest } = await writeLooseLayer(cache, layer, file);
    let asked = 0;
    Object.defineProperty(interruption.signal, "aborted", { configurable: true, get: () => ++asked > 3 });
    try {
      await expect(writeLooseLayer(cache, layer, file)).rejects.toMatchObject({ kind: "interrupted" });
    } finally {
      Reflect.deleteProperty(interruption.signal, "aborted");
    }
    expect(asked).toBeGreaterThan(3);
    expect(await readdir(path.join(home, "out"))).toEqual(["l.tar.gz"]);
    expect(`sha256:${sha256(await readFile(file))}`).toBe(digest);
  });
});
