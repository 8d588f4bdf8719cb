import path from "node:path";
import { setImmediate } from "node:timers/promises";
import { throwIfInterrupted } from "../toolchain/process.ts";
import { readManifest, MANIFEST_FILE, writeJson, type CacheManifest } from "./manifest.ts";
import { mergeFolder, type FolderMerge } from "./merge-folder.ts";
import { mergeManifests, type MergeSource } from "./merge-manifests.ts";
import { replaceDirectory } from "./store.ts";

/** What of a cache directory is merged file by file. */
const PARTS = ["go-build", "go-mod", "binaries"];

/**
 * Merges shards' cache directories into `out` by hard links: nothing but action entries is written twice. Equal names must
 * mean equal bytes; a difference throws and names both sources. `out` appears whole or not at all. It goes folder by folder,
 * so that memory does not grow with the number of entries, only with that of names in the manifests.
 */
export async function mergeCaches(out: string, shards: readonly string[]): Promise<CacheManifest> {
  const merged = mergeManifests(await readSources(shards));
  return replaceDirectory(out, async (partial) => {
    let bytes = 0;
    const waiting: FolderMerge[] = PARTS.map((name) => ({ name, roots: shards }));
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const folder = mergeFolder(partial, next);
      bytes += folder.bytes;
      waiting.push(...folder.folders);
      // The calls are synchronous, which is faster for so small ones: an interruption is heard between two folders.
      await setImmediate();
      throwIfInterrupted();
    }
    const closures = Object.values(merged.closures);
    const countOf = (lists: readonly (readonly string[])[]) => {
      const names = new Set<string>();
      for (const list of lists) for (const name of list) names.add(name);
      return names.size;
    };
    const counts = {
      goBuildEntries: countOf(closures.map(({ goBuild }) => goBuild)),
      goModules: countOf(closures.map(({ goMod }) => goMod)),
      bytes,
    };
    const manifest: CacheManifest = { ...merged, counts };
    await writeJson(path.join(partial, MANIFEST_FILE), manifest);
    return manifest;
  });
}

/** One manifest after the other, each name once in memory however many shards have it. */
async function readSources(shards: readonly string[]): Promise<readonly MergeSource[]> {
  const known = new Map<string, string>();
  const once = (names: readonly string[]) =>
    names.map((name) => {
      const same = known.get(name);
      if (same === undefined) known.set(name, name);
      return same ?? name;
    });
  const sources: MergeSource[] = [];
  for (const directory of shards) {
    const manifest = await readManifest(directory);
    const closures = Object.entries(manifest.closures).map(([provider, closure]) => [
      provider,
      { goBuild: once(closure.goBuild), goMod: once(closure.goMod), sources: once(closure.sources) },
    ]);
    sources.push({
      directory,
      manifest: { ...manifest, closures: Object.fromEntries(closures) as typeof manifest.closures },
    });
  }
  return sources;
}
