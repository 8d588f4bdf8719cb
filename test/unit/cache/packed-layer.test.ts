import { chmod, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { beforeEach, describe, expect, it } from "vitest";
import { partition, type CacheLayer } from "../../../cache/layers.ts";
import { packList, writePackedLayer, type Packer, type PackList } from "../../../cache/packed-layer.ts";
import { sha256, sourceOf, writeCache, writeText } from "./cache-directory.ts";
import { contentsOf, entriesIn } from "./layer-listing.ts";

const SDK = "github.com/Acme/sdk@v1.0.0";
const SPARE = "example.com/spare@v1.0.0";
const TREE = "github.com/!acme/sdk@v1.0.0";

let home: string;
let cache: string;
let layer: CacheLayer;
let packer: Packer;

beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), "kiln-packed-layer-"));
  cache = path.join(home, "cache");
  const goMod = path.join(cache, "go-mod");
  const more = { spare: [SPARE], objects: {} };
  const manifest = await writeCache(cache, { aws: { packages: ["fmt", "aws"], modules: [SDK, SPARE] } }, more);
  for (const name of ["go.mod", "a_test.go", "testdata/t.go", "go/aws/pulumi-plugin.json", "internal/testdata.go"]) {
    await writeText(path.join(goMod, TREE, name), name);
  }
  const [, output = ""] = manifest.closures.aws?.goBuild ?? [];
  const sources = [sourceOf(SDK), `${TREE}/go.mod`];
  const [found] = partition({
    ...manifest,
    closures: { aws: { goBuild: [], goMod: [], ...manifest.closures.aws, sources } },
  });
  if (found === undefined) throw new Error("no layer");
  layer = { ...found, programs: [output] };
  packer = { program: await packerAt(path.join(home, "gocache")), digest: "1" };
  return () => rm(home, { recursive: true });
});

/** A packer whose packs are the lists that they are made of, and say of every output that it takes 7 bytes. */
async function packerAt(file: string): Promise<string> {
  await writeFile(
    file,
    `#!${process.execPath}
const { readFileSync, writeFileSync } = require("node:fs");
const [command, ...rest] = process.argv.slice(2);
if (command === "pack") {
  const list = JSON.parse(readFileSync(rest[rest.indexOf("--list") + 1], "utf8"));
  writeFileSync(rest[rest.indexOf("--out") + 1], JSON.stringify([list, Object.keys(process.env).filter((name) => name !== "TMPDIR" && !name.startsWith("__"))]));
} else {
  const [{ entries }] = JSON.parse(readFileSync(rest[0], "utf8"));
  const outputs = entries.filter((name) => name.endsWith("-d")).map((name) => ({ id: name.slice(3, -2), stored: 7 }));
  console.log(JSON.stringify({ outputs }));
}
`,
  );
  await chmod(file, 0o755);
  return file;
}

const written = (name = "l.tar.gz") => writePackedLayer(packer, cache, layer, path.join(home, "out", name));

it("has archives beside the pack as files, named by their content", async () => {
  const [output = ""] = layer.programs;
  layer = { ...layer, programs: [], beside: [output] };
  const entries = await entriesIn((await written()).file);
  const id = path.posix.basename(output, "-d");
  expect(entries.map(({ name }) => name)).toContain(`usr/local/lib/kiln/packs/objects/${id}`);
  expect(entries.at(-1)?.name).toBe("usr/local/lib/kiln/packs/aws.pack");
});

describe("packList", () => {
  it("has all entries, and of modules what could be compiled and is no plain file of the layer", async () => {
    const list = await packList(cache, { ...layer, whole: ["w"], beside: ["x"] });
    expect(list).toEqual({
      ...{ version: 1, goBuild: path.join(cache, "go-build"), goMod: path.join(cache, "go-mod") },
      ...{ entries: layer.goBuild, whole: ["w"], beside: ["x"], programs: [] },
      sources: [
        { module: SPARE, indexed: false, files: ["a.go", "internal/b.go"] },
        { module: TREE, indexed: true, files: ["internal/b.go", "internal/testdata.go"] },
      ],
    });
  });

  it("names a file that only another layer has as a plain one: what that layer's provider reads moves nothing here", async () => {
    const list = await packList(cache, { ...layer, sources: [] });
    expect(list.sources[1]?.files).toContain("a.go");
  });
});

describe("writePackedLayer", () => {
  it("holds one pack, the files that builds read, those that Pulumi reads, and a folder for every module", async () => {
    const { file } = await written();
    const entries = await contentsOf(file);
    const named = entries.filter(({ header }) => header.type === "file").map(({ header }) => header.name);
    const data = (stem: string) =>
      [".info", ".mod", ".ziphash"].map((suffix) => `var/cache/go-mod/cache/download/${stem}${suffix}`);
    expect(named).toEqual([
      ...data("example.com/spare/@v/v1.0.0"),
      ...data("github.com/!acme/sdk/@v/v1.0.0"),
      `var/cache/go-mod/${TREE}/a.go`,
      `var/cache/go-mod/${TREE}/go.mod`,
      `var/cache/go-mod/${TREE}/go/aws/pulumi-plugin.json`,
      "usr/local/lib/kiln/packs/aws.pack",
    ]);
    const [list, environment] = JSON.parse(entries.at(-1)?.text ?? "") as [PackList, string[]];
    expect(list.entries).toEqual(layer.goBuild);
    expect(environment).toEqual([]);
    expect(entries.map(({ header }) => header.name)).toContain("var/cache/go-mod/example.com/spare@v1.0.0/");
  });

  it("opens the folders of modules to every user, sticky, and those of packs to none", async () => {
    const { file } = await written();
    const modes = new Map((await entriesIn(file)).map(({ name, mode }) => [name, mode.toString(8)]));
    for (const [name, mode] of [
      ["var/cache/", "755"],
      ["var/cache/go-mod/", "1777"],
      [`var/cache/go-mod/${TREE}/`, "1777"],
      [`var/cache/go-mod/${TREE}/go/aws/`, "1777"],
      ["var/cache/go-mod/cache/download/github.com/!acme/sdk/@v/", "1777"],
      ["usr/local/lib/kiln/packs/", "755"],
      ["usr/local/lib/kiln/packs/aws.pack", "644"],
      [`var/cache/go-mod/${TREE}/a.go`, "644"],
    ] as const) {
      expect(modes.get(name), name).toBe(mode);
    }
  });

  it("holds no path twice, which Docker refuses, though it is written in parts", async () => {
    layer = { ...layer, inputs: { programs: {}, goFiles: {}, packages: {} } };
    const names = (await entriesIn((await written()).file)).map(({ name }) => name);
    expect(names.filter((name) => name === "usr/local/")).toHaveLength(1);
    expect(new Set(names).size).toBe(names.length);
  });

  it("says the truth of its bytes, and how many are programs", async () => {
    const { file, size, digest, diffId, contentBytes, programBytes } = await written();
    const bytes = await readFile(file);
    expect([size, digest]).toEqual([bytes.length, `sha256:${sha256(bytes)}`]);
    expect(diffId).toBe(`sha256:${sha256(gunzipSync(bytes))}`);
    const files = (await entriesIn(file)).filter(({ type }) => type === "file");
    expect(contentBytes).toBe(files.reduce((sum, entry) => sum + entry.size, 0));
    expect(programBytes).toBe(7);
  });

  it("stores the pack as it is, and leaves nothing else beside the archive", async () => {
    const { file } = await written();
    const pack = (await contentsOf(file)).at(-1)?.text ?? "no pack";
    expect((await readFile(file)).includes(pack)).toBe(true);
    expect(await readdir(path.dirname(file))).toEqual([path.basename(file)]);
  });

  it("gives the same bytes for the same content", async () => {
    const [one, two] = [await written("1"), await written("2")];
    expect({ ...two, file: "" }).toEqual({ ...one, file: "" });
  });

  it("has no pack where there is nothing to pack", async () => {
    layer = { ...layer, goBuild: [], programs: [], goMod: [], sources: [], ghosts: [SDK] };
    const { file, programBytes } = await written();
    const names = (await entriesIn(file)).map(({ name }) => name);
    expect(names.filter((name) => name.endsWith(".pack"))).toEqual([]);
    expect(names).toContain(`var/cache/go-mod/${TREE}/go/aws/pulumi-plugin.json`);
    expect(programBytes).toBe(0);
  });

  it("has a provider's binary, and a command for each of its programs", async () => {
    await writeText(path.join(cache, "binaries/aws"), "ELF");
    const names = { "m/aws/b": "aws-b", "m/aws/a": "aws-a" };
    layer = { ...layer, binaries: [{ file: "binaries/aws", bytes: 3, names }] };
    const entries = (await entriesIn((await written()).file)).filter(({ name }) => !name.endsWith("/"));
    expect(entries.find(({ name }) => name === "usr/local/lib/kiln/programs/aws")?.mode).toBe(0o755);
    const links = entries.filter(({ type }) => type === "symlink").map(({ name, linkname }) => [name, linkname]);
    expect(links).toEqual(
      ["aws-a", "aws-b"].map((name) => [`usr/local/bin/${name}`, "/usr/local/lib/kiln/programs/aws"]),
    );
  });

  it("packs no file that stands elsewhere: a link in a cache leads anywhere", async () => {
    await symlink("/etc", path.join(cache, "go-mod", TREE, "linked"));
    expect((await packList(cache, layer)).sources.flatMap(({ files }) => files)).not.toContain("linked");
    const [entry = ""] = layer.goBuild;
    await rm(path.join(cache, "go-build", entry));
    await symlink("/etc/hostname", path.join(cache, "go-build", entry));
    await expect(written()).rejects.toThrow("is a link");
    expect(await readdir(home)).not.toContain("out");
  });
});
