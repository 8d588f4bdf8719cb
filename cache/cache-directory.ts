import { readFile } from "node:fs/promises";
import path from "node:path";
import { modulesOfGoSum } from "./closure.ts";
import type { GoMounts } from "./go-command.ts";
import { MANIFEST_FILE, writeJson, type CacheManifest } from "./manifest.ts";
import {
  directoryBytes,
  exportEntries,
  linkFiles,
  readModuleMetadata,
  readModuleTree,
  replaceDirectory,
} from "./store.ts";

/** What warming found out, of which a cache directory is made. */
export type Warmed = Pick<CacheManifest, "contract" | "modules" | "failed" | "closures">;

/**
 * Writes a cache directory: of the store exactly what the closures name, and for every module that the go.sum files
 * name the small files by which Go knows it. `goModules` are directories of go.mod files, below `source`.
 */
export function writeCacheDirectory(
  store: GoMounts,
  out: string,
  warmed: Warmed,
  source: string,
  goModules: readonly string[],
): Promise<CacheManifest> {
  return replaceDirectory(out, async (partial) => {
    const goBuild = union(Object.values(warmed.closures).map((closure) => closure.goBuild));
    const goMod = union(Object.values(warmed.closures).map((closure) => closure.goMod));
    const goModMetadata = union([goMod, ...(await readGoSums(source, goModules))]);

    await exportEntries(store.goBuildCache, path.join(partial, "go-build"), goBuild);
    const trees = await Promise.all(goMod.map((module) => readModuleTree(store.goModCache, module)));
    const metadata = await Promise.all(goModMetadata.map((module) => readModuleMetadata(store.goModCache, module)));
    await linkFiles(store.goModCache, path.join(partial, "go-mod"), [...trees, ...metadata].flat());

    const counts = { goBuildEntries: goBuild.length, goModules: goMod.length, bytes: await directoryBytes(partial) };
    const manifest: CacheManifest = { version: 1, ...warmed, goModMetadata, counts };
    await writeJson(path.join(partial, MANIFEST_FILE), manifest);
    return manifest;
  });
}

function union(lists: readonly (readonly string[])[]): readonly string[] {
  return [...new Set(lists.flat())].sort();
}

/** The modules that each go.sum names: every go.mod that a build under it may read. */
function readGoSums(source: string, goModules: readonly string[]): Promise<readonly (readonly string[])[]> {
  return Promise.all(
    goModules.map(async (goModule) =>
      modulesOfGoSum(await readFile(path.join(source, goModule, "go.sum"), "utf8").catch(() => "")),
    ),
  );
}
