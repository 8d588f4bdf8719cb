import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { run } from "../toolchain/process.ts";
import { moduleFiles } from "./closure.ts";
import { concurrently } from "./concurrently.ts";
import { writeLayerParts, type LayerFile, type LayerPart } from "./layer-archive.ts";
import {
  addEntries,
  ghostEntries,
  inImage,
  isCacheFolder,
  isPlain,
  moduleEntry,
  plainEntries,
  type LayerEntry,
} from "./layer-entries.ts";
import type { CacheLayer } from "./layers.ts";
import type { ProgramReads } from "./program-reads.ts";
import { readModuleTree, requireOwnFile } from "./store.ts";

/** Where an image has its packs; `gocache` looks there (images/programs). */
export const PACKS_PATH = "/usr/local/lib/kiln/packs";

/** Where archives stand that are beside the packs, named by the digest of their content. */
export const OBJECTS_PATH = `${PACKS_PATH}/objects`;

/** The program that writes packs, as it runs on this machine. */
export interface Packer {
  readonly program: string;
  /** Of its sources: another packer may write other bytes. */
  readonly digest: string;
}

/** What `gocache pack` reads. Names of entries are below `goBuild`, those of modules' trees, as on disk, below `goMod`. */
export interface PackList {
  readonly version: 1;
  readonly goBuild: string;
  readonly goMod: string;
  readonly entries: readonly string[];
  readonly whole: readonly string[];
  readonly beside: readonly string[];
  readonly sources: readonly PackedModule[];
  readonly programs: readonly ProgramReads[];
}

interface PackedModule {
  readonly module: string;
  /** Whether Go's index of the module is among the entries of the image. */
  readonly indexed: boolean;
  readonly files: readonly string[];
}

/** A packed layer, and how many bytes of it are finished programs. */
export type PackedLayerFile = LayerFile & { readonly programBytes: number };

/** Measured: the sources that builds read, which are a few megabytes a provider. */
const SOURCES_LEVEL = 6;

/** Measured on Go archives: level 3 costs half of level 6 for a tenth more bytes. */
const OBJECTS_LEVEL = 3;

/**
 * Writes a layer of one pack and of the files that builds read, as a gzipped tar archive, the same bytes for the same
 * content. The pack is compressed already, so gzip stores it. Folders of both caches are open to every user: missing
 * packages are put back by whoever builds.
 */
export async function writePackedLayer(
  packer: Packer,
  cache: string,
  layer: CacheLayer,
  file: string,
): Promise<PackedLayerFile> {
  const loose = [
    ...(await plainEntries(cache, layer)),
    ...(await ghostEntries(cache, layer.goMod)),
    ...looseSources(layer).map((name) => moduleEntry(cache, name)),
  ];
  const list = await packList(cache, layer);
  const folders = new Set<string>();
  const part = (entries: readonly LayerEntry[], level: number): LayerPart => ({
    fill: (archive) => addEntries(archive, entries, isCacheFolder, folders),
    level,
  });
  if (list.entries.length + list.sources.length === 0) {
    return { ...(await writeLayerParts(file, [part(loose, SOURCES_LEVEL)])), programBytes: 0 };
  }
  const pack = `${file}.pack`;
  try {
    await packLayer(packer, list, pack);
    const content = { root: path.dirname(pack), file: path.basename(pack) };
    const entry = { name: inImage(PACKS_PATH, `${layer.name}.pack`), content };
    const beside = layer.beside.map((name) => besideEntry(list.goBuild, name));
    const parts = [part(loose, SOURCES_LEVEL), part(beside, OBJECTS_LEVEL), part([entry], 0)];
    const written = await writeLayerParts(file, parts);
    return { ...written, programBytes: await programBytes(packer, layer, pack) };
  } finally {
    await rm(pack, { force: true });
  }
}

/** An archive beside the pack, as a file; the packer has compared its content with its name. */
function besideEntry(goBuild: string, name: string): LayerEntry {
  return { name: inImage(OBJECTS_PATH, path.posix.basename(name, "-d")), content: { root: goBuild, file: name } };
}

/** The files of a layer that builds read, besides those that every image has as plain files. */
function looseSources({ sources }: CacheLayer): readonly string[] {
  return sources.filter((name) => !isPlain(insideModule(name)));
}

/** A file's path inside its module, by its path below GOMODCACHE: only a module's version has an @ before it. */
function insideModule(name: string): string {
  return name.slice(name.indexOf("/", name.indexOf("@")) + 1);
}

/**
 * What goes into a layer's pack: its entries, and of its modules whatever could be compiled and is no plain file of this
 * layer. What only another layer has as plain files is here as well: so what its provider reads moves no byte of this one.
 */
export async function packList(cache: string, layer: CacheLayer): Promise<PackList> {
  const goMod = path.join(cache, "go-mod");
  const [loose, spare] = [new Set(layer.sources), new Set(layer.spare)];
  const modules = await Promise.all(
    layer.goMod.map(async (module): Promise<PackedModule> => {
      const { tree } = moduleFiles(module);
      const files = (await readModuleTree(goMod, module))
        .filter((name) => !loose.has(name))
        .map((name) => path.posix.relative(tree, name))
        .filter((name) => !isPlain(name) && !isTest(name));
      return { module: tree, indexed: !spare.has(module), files };
    }),
  );
  const sources = modules.filter(({ files }) => files.length > 0);
  const { goBuild: entries, whole, beside, reads: programs } = layer;
  return { version: 1, goBuild: path.join(cache, "go-build"), goMod, entries, whole, beside, sources, programs };
}

/** Whether nobody imports a file of a module: tests and what they read. */
function isTest(name: string): boolean {
  return name.endsWith("_test.go") || name.split("/").slice(0, -1).includes("testdata");
}

/** Runs the packer, on files that stand in the cache themselves. */
async function packLayer({ program }: Packer, list: PackList, pack: string): Promise<void> {
  const looked = new Set<string>();
  const trees = list.sources.flatMap(({ module, files }) => files.map((name) => `${moduleFiles(module).tree}/${name}`));
  await concurrently(list.entries, (name) => requireOwnFile(list.goBuild, name, looked));
  await concurrently(trees, (name) => requireOwnFile(list.goMod, name, looked));
  const file = `${pack}.json`;
  try {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, JSON.stringify(list));
    await run(program, ["pack", "--list", file, "--out", pack], { env: packerEnvironment() });
  } finally {
    await rm(file, { force: true });
  }
}

/** Of the caller's environment only where temporary files go: nothing else may decide about the bytes of a pack. */
function packerEnvironment(): NodeJS.ProcessEnv {
  const { TMPDIR } = process.env;
  return TMPDIR === undefined ? {} : { TMPDIR };
}

/** What `gocache show` prints, as far as it is read here. */
interface ShownPack {
  readonly outputs: readonly { readonly id: string; readonly stored: number }[];
}

/** How many bytes of a pack are finished programs. */
async function programBytes({ program }: Packer, { programs }: CacheLayer, pack: string): Promise<number> {
  if (programs.length === 0) return 0;
  const ids = new Set(programs.map((name) => path.posix.basename(name, "-d")));
  const { outputs } = JSON.parse((await run(program, ["show", pack])).stdout) as ShownPack;
  return outputs.reduce((sum, { id, stored }) => (ids.has(id) ? sum + stored : sum), 0);
}
