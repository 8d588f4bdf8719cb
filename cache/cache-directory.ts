import path from "node:path";
import { modulesOfGoSum } from "./closure.ts";
import type { GoMounts } from "./go/command.ts";
import { MANIFEST_FILE, MANIFEST_VERSION, writeJson, type CacheManifest } from "./manifest.ts";
import {
  directoryBytes,
  exportEntries,
  linkFiles,
  readModuleMetadata,
  readModuleTree,
  replaceDirectory,
} from "./store.ts";

/** What warming found out, of which a cache directory is made. */
export type Warmed = Omit<CacheManifest, "version" | "goModMetadata" | "counts">;

/** Which Go modules a cache directory knows besides those that it has sources of, and how well. */
export interface KnownModules {
  /** Texts of the go.sum files: every go.mod that a build under them may read. */
  readonly goSums: readonly string[];
  /** Modules (`path@version`) of which Pulumi asks for version data. */
  readonly required: ReadonlySet<string>;
}

/**
 * Writes a cache directory: of the store exactly what the closures name, for every module that the go.sum files name the
 * small files by which Go knows it, and the binaries, which stand in the folder `binaries` under their names.
 */
export function writeCacheDirectory(
  store: GoMounts,
  out: string,
  warmed: Warmed,
  { goSums, required }: KnownModules,
  binaries?: string,
): Promise<CacheManifest> {
  return replaceDirectory(out, async (partial) => {
    const goBuild = union(Object.values(warmed.closures).map((closure) => closure.goBuild));
    const goMod = union(Object.values(warmed.closures).map((closure) => closure.goMod));
    const withSources = new Set(goMod);
    const goModMetadata = union([goMod, ...goSums.map(modulesOfGoSum)]);

    await exportEntries(store.goBuildCache, path.join(partial, "go-build"), goBuild);
    const trees = await Promise.all(goMod.map((module) => readModuleTree(store.goModCache, module)));
    const metadata = await Promise.all(
      goModMetadata.map(async (module) => {
        const names = await readModuleMetadata(store.goModCache, module);
        // What else a store has of a module depends on what it was used for before.
        return names.filter(
          (name) =>
            name.endsWith(".mod") ||
            (name.endsWith(".info") && required.has(module)) ||
            (name.endsWith(".ziphash") && withSources.has(module)),
        );
      }),
    );
    await linkFiles(store.goModCache, path.join(partial, "go-mod"), [...trees, ...metadata].flat());
    const files = Object.values(warmed.binaries ?? {}).flat();
    if (binaries !== undefined)
      await linkFiles(
        path.dirname(binaries),
        partial,
        files.map(({ file }) => file),
      );

    const counts = { goBuildEntries: goBuild.length, goModules: goMod.length, bytes: await directoryBytes(partial) };
    const manifest: CacheManifest = { version: MANIFEST_VERSION, ...warmed, goModMetadata, counts };
    await writeJson(path.join(partial, MANIFEST_FILE), manifest);
    return manifest;
  });
}

function union(lists: readonly (readonly string[])[]): readonly string[] {
  return [...new Set(lists.flat())].sort();
}
