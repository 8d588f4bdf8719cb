import { open, readdir, stat } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../errors.ts";
import { mergeInputs } from "./explain/build-inputs.ts";
import { concurrently } from "./concurrently.ts";
import { contractDifferences } from "./contract.ts";
import { MANIFEST_FILE, readManifest, writeJson, type CacheManifest, type ProviderClosure } from "./manifest.ts";
import { directoryBytes, linkFiles, replaceDirectory } from "./store.ts";

/** A shard's cache directory and what it says of itself. */
export interface MergeSource {
  readonly directory: string;
  readonly manifest: CacheManifest;
}

/** The manifest of a merge. Throws a usage error, naming both sources, when two shards differ in what enters an action ID. */
export function mergeManifests(sources: readonly MergeSource[]): Omit<CacheManifest, "counts"> {
  const [first] = sources;
  if (!first) throw new KilnError("usage", "nothing to merge", { mend: "Name at least one shard directory." });
  for (const other of sources.slice(1)) {
    const differences = contractDifferences(first.manifest.contract, other.manifest.contract);
    if (differences.length > 0) {
      throw new KilnError(
        "usage",
        `${first.directory} and ${other.directory} were warmed differently:\n  ${differences.join("\n  ")}`,
        { mend: "Warm both again from one plan; a build would find only one of them." },
      );
    }
  }
  const closures = new Map<string, ProviderClosure>();
  for (const { manifest } of sources) {
    for (const [provider, closure] of Object.entries(manifest.closures)) {
      const known = closures.get(provider);
      closures.set(provider, {
        goBuild: union(known?.goBuild, closure.goBuild),
        goMod: union(known?.goMod, closure.goMod),
      });
    }
  }
  const failed = Object.assign({}, ...sources.map(({ manifest }) => manifest.failed)) as Record<string, string>;
  const had = new Set([...closures.values()].flatMap(({ goMod }) => goMod));
  // What one shard could not have, another may have had.
  const missing = sources
    .flatMap(({ manifest }) => Object.entries(manifest.missing ?? {}))
    .filter(([name]) => !had.has(name));
  const inputs = mergeInputs(sources.map(({ manifest }) => manifest.inputs));
  return {
    version: 1,
    contract: first.manifest.contract,
    modules: union(...sources.map(({ manifest }) => manifest.modules)),
    failed,
    closures: Object.fromEntries([...closures].sort(([a], [b]) => (a < b ? -1 : 1))),
    ...(missing.length > 0 ? { missing: Object.fromEntries(missing.sort()) } : {}),
    ...(inputs === undefined ? {} : { inputs }),
    goModMetadata: union(...sources.map(({ manifest }) => manifest.goModMetadata)),
  };
}

function union(...lists: readonly (readonly string[] | undefined)[]): readonly string[] {
  return [...new Set(lists.flatMap((list) => list ?? []))].sort();
}

/**
 * Merges shards' cache directories into `out` by hard links: nothing is written twice. Equal names must mean equal bytes;
 * a difference throws and names both sources. `out` appears whole or not at all.
 */
export async function mergeCaches(out: string, shards: readonly string[]): Promise<CacheManifest> {
  const sources = await Promise.all(
    shards.map(async (directory) => ({ directory, manifest: await readManifest(directory) })),
  );
  const merged = mergeManifests(sources);
  return replaceDirectory(out, async (partial) => {
    const origins = new Map<string, string>();
    for (const { directory } of sources) {
      const names = await readFileNames(directory);
      await concurrently(names, async (name) => {
        const origin = origins.get(name);
        if (origin === undefined || (await sameContent(path.join(origin, name), path.join(directory, name)))) return;
        throw new KilnError("failed", `${name} differs between ${origin} and ${directory}`, {
          mend: "One of the two is damaged or was made by another compiler: warm that shard again with an empty --store.",
        });
      });
      const fresh = names.filter((name) => !origins.has(name));
      for (const name of fresh) origins.set(name, directory);
      await linkFiles(directory, partial, fresh);
    }
    const goBuild = new Set(Object.values(merged.closures).flatMap((closure) => closure.goBuild));
    const goMod = new Set(Object.values(merged.closures).flatMap((closure) => closure.goMod));
    const manifest: CacheManifest = {
      ...merged,
      counts: { goBuildEntries: goBuild.size, goModules: goMod.size, bytes: await directoryBytes(partial) },
    };
    await writeJson(path.join(partial, MANIFEST_FILE), manifest);
    return manifest;
  });
}

async function readFileNames(directory: string): Promise<readonly string[]> {
  const names: string[] = [];
  for (const half of ["go-build", "go-mod"]) {
    const entries = await readdir(path.join(directory, half), { recursive: true, withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      if (entry.isFile()) names.push(path.relative(directory, path.join(entry.parentPath, entry.name)));
    }
  }
  return names;
}

const CHUNK_BYTES = 1 << 20;

/** Whether two files hold the same bytes; one file under two names is not read at all. */
async function sameContent(left: string, right: string): Promise<boolean> {
  const [a, b] = await Promise.all([stat(left), stat(right)]);
  if (a.ino === b.ino && a.dev === b.dev) return true;
  if (a.size !== b.size) return false;
  const [fileA, fileB] = await Promise.all([open(left), open(right)]);
  try {
    const [bufferA, bufferB] = [Buffer.alloc(CHUNK_BYTES), Buffer.alloc(CHUNK_BYTES)];
    for (let position = 0; position < a.size; position += CHUNK_BYTES) {
      const [readA, readB] = await Promise.all([
        fileA.read(bufferA, 0, CHUNK_BYTES, position),
        fileB.read(bufferB, 0, CHUNK_BYTES, position),
      ]);
      if (!bufferA.subarray(0, readA.bytesRead).equals(bufferB.subarray(0, readB.bytesRead))) return false;
    }
    return true;
  } finally {
    await Promise.all([fileA.close(), fileB.close()]);
  }
}
