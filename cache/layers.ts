import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import type { Pack } from "tar-stream";
import { throwIfInterrupted } from "../toolchain/process.ts";
import { INPUTS_FOLDER, inputsLine, type BuildInputs } from "./explain/build-inputs.ts";
import { IMAGE_PATHS } from "./contract.ts";
import { writeLayerArchive } from "./layer-archive.ts";
import { BASE_SHARD } from "./plan.ts";
import type { CacheManifest } from "./manifest.ts";
import { FAR_FUTURE_SECONDS, readModuleMetadata, readModuleTree, requireOwnFile } from "./store.ts";

/** The layer of what more than one provider reads. */
export const COMMON_LAYER = "common";

/** What one image layer holds. */
export interface CacheLayer {
  /** `common`, or the provider that alone reads it. */
  readonly name: string;
  readonly goBuild: readonly string[];
  /** Go modules whose sources it carries. */
  readonly goMod: readonly string[];
  /** Go modules of which it carries only go.mod and version data, besides those of `goMod`. */
  readonly goModMetadata: readonly string[];
  /** What the provider's programs were built from, for `kiln cache explain`. */
  readonly inputs?: BuildInputs;
}

/**
 * Divides a cache into layers: what one provider alone reads is its own layer, so that an edit of its programs moves no
 * other layer's digest; the rest is common, and first. Every entry is in exactly one layer.
 */
export function partition(manifest: CacheManifest): readonly CacheLayer[] {
  const providers = Object.entries(manifest.closures).filter(([name]) => name !== BASE_SHARD);
  const owners = (pick: (closure: { goBuild: readonly string[]; goMod: readonly string[] }) => readonly string[]) => {
    const owner = new Map<string, string>();
    for (const [provider, closure] of providers) {
      for (const name of pick(closure)) owner.set(name, owner.has(name) ? COMMON_LAYER : provider);
    }
    return Map.groupBy([...owner.keys()].sort(), (name) => owner.get(name) ?? COMMON_LAYER);
  };
  const goBuild = owners((closure) => closure.goBuild);
  const goMod = owners((closure) => closure.goMod);
  const withSources = new Set([...goMod.values()].flat());

  return [COMMON_LAYER, ...providers.map(([provider]) => provider).sort()]
    .map((name): CacheLayer => ({
      name,
      goBuild: goBuild.get(name) ?? [],
      goMod: goMod.get(name) ?? [],
      goModMetadata: name === COMMON_LAYER ? manifest.goModMetadata.filter((module) => !withSources.has(module)) : [],
      ...inputsIn(manifest, name),
    }))
    .filter(
      (layer) =>
        layer.goBuild.length + layer.goMod.length + layer.goModMetadata.length > 0 || layer.inputs !== undefined,
    );
}

function inputsIn({ inputs }: CacheManifest, provider: string): { readonly inputs?: BuildInputs } {
  const own = inputs?.[provider];
  return own === undefined ? {} : { inputs: own };
}

/** Part of every layer key: raise it when the same content is to be written as other bytes. */
const LAYER_FORMAT = "kiln-layer-1";

/**
 * A digest of what a layer will hold, without reading it: outputs are named by their hash, sources by their module's
 * hash. Equal keys give equal layers, so a layer that a registry has under its key need not be written again.
 */
export async function layerKey(cache: string, layer: CacheLayer): Promise<string> {
  const hash = createHash("sha256").update(`${LAYER_FORMAT}\n`);
  for (const name of layer.goBuild) {
    hash.update(`${name}\n`);
    if (name.endsWith("-a")) hash.update(await readFile(path.join(cache, "go-build", name)));
  }
  // The hash of a module's archive, among its metadata, stands for its sources.
  for (const modules of [layer.goMod, layer.goModMetadata]) {
    for (const module of modules) {
      hash.update(`${module}\n`);
      for (const name of await readModuleMetadata(path.join(cache, "go-mod"), module)) {
        hash.update(`${name} ${await readFile(path.join(cache, "go-mod", name), "utf8")}\n`);
      }
    }
    hash.update("\n");
  }
  if (layer.inputs !== undefined) hash.update(inputsLine(layer.name, layer.inputs));
  return hash.digest("hex");
}

export interface LayerFile {
  readonly file: string;
  /** `sha256:…` of the compressed bytes, and their count. */
  readonly digest: string;
  readonly size: number;
  /** `sha256:…` of the tar archive inside. */
  readonly diffId: string;
  /** Bytes of the files in it. */
  readonly contentBytes: number;
}

/** Module sources keep a plain old date; Go looks at no time there. */
const SOURCE_SECONDS = Date.UTC(1980, 0, 1) / 1000;

/**
 * Writes a layer as a gzipped tar archive, the same bytes for the same content: names sorted, owner root, fixed times.
 * Folders of both caches are open to every user, sticky, so that any uid adds entries and none removes these.
 */
export function writeLayer(cache: string, layer: CacheLayer, file: string): Promise<LayerFile> {
  return writeLayerArchive(file, (archive) => fill(archive, cache, layer));
}

async function fill(archive: Pack, cache: string, layer: CacheLayer): Promise<number> {
  const folders = new Set<string>();
  let bytes = 0;
  const addFolder = (folder: string, mode: number) => {
    if (folders.has(folder)) return;
    folders.add(folder);
    archive.entry({ name: `${folder}/`, type: "directory", mode, mtime: new Date(SOURCE_SECONDS * 1000) });
  };
  const looked = new Set<string>();
  const addFile = async (cacheFolder: string, file: string, name: string, seconds: number, openFolders: string) => {
    throwIfInterrupted();
    await requireOwnFile(cacheFolder, file, looked);
    const from = path.join(cacheFolder, file);
    for (const folder of ancestors(name)) addFolder(folder, isOpen(folder, openFolders) ? 0o1777 : 0o755);
    const { size } = await stat(from);
    const entry = archive.entry({ name, size, mode: 0o644, mtime: new Date(SOURCE_SECONDS * 1000), ...times(seconds) });
    await pipeline(createReadStream(from), entry);
    bytes += size;
  };
  const root = (folder: string) => folder.slice(1);

  for (const name of layer.goBuild) {
    const folder = root(IMAGE_PATHS.goBuildCache);
    await addFile(path.join(cache, "go-build"), name, `${folder}/${name}`, FAR_FUTURE_SECONDS, folder);
  }
  const goModCache = path.join(cache, "go-mod");
  const folder = root(IMAGE_PATHS.goModCache);
  for (const module of [...new Set([...layer.goMod, ...layer.goModMetadata])].sort()) {
    const names = [
      ...(await readModuleMetadata(goModCache, module)),
      ...(layer.goMod.includes(module) ? await readModuleTree(goModCache, module) : []),
    ];
    for (const name of names) await addFile(goModCache, name, `${folder}/${name}`, SOURCE_SECONDS, folder);
  }
  if (layer.inputs !== undefined) {
    const name = `${root(INPUTS_FOLDER)}/${layer.name}.json`;
    const content = Buffer.from(inputsLine(layer.name, layer.inputs));
    for (const parent of ancestors(name)) addFolder(parent, 0o755);
    archive.entry({ name, mode: 0o644, mtime: new Date(SOURCE_SECONDS * 1000) }, content);
    bytes += content.length;
  }
  return bytes;
}

/** The plain header's time field, as the library fills it, ends in 2038: what lies beyond goes into an extended header. */
function times(seconds: number): { pax?: Record<string, string> } {
  return seconds === SOURCE_SECONDS ? {} : { pax: { mtime: String(seconds) } };
}

function ancestors(name: string): readonly string[] {
  const parts = name.split("/").slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}

/** Whether users add to a folder: the caches' own folders, but not what lies inside one version of a module. */
function isOpen(folder: string, cacheFolder: string): boolean {
  if (folder !== cacheFolder && !folder.startsWith(`${cacheFolder}/`)) return false;
  const inside = folder.slice(cacheFolder.length + 1);
  return inside.startsWith("cache/") || !inside.includes("@");
}
