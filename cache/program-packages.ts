import path from "node:path";
import { outputName } from "./record-log.ts";
import { IMAGE_PATHS } from "./contract.ts";
import { goModuleOf, sourceFilesOf, type ListedPackage } from "./go/list.ts";
import { needsOf, packageKey } from "./graph.ts";
import type { Program } from "./programs.ts";

/** Listings of packages by the directory of each go.mod, of a source that Go knows at this real path. */
export interface Listings {
  readonly root: string;
  readonly byGoModule: ReadonlyMap<string, readonly ListedPackage[]>;
}

/** All packages that builds of programs compile, programs that Go does not know left out; each once for every go.mod. */
export function packagesOf({ root, byGoModule }: Listings, programs: readonly Program[]): readonly ListedPackage[] {
  return [...Map.groupBy(programs, ({ goModule }) => goModule)].flatMap(([goModule, members]) => {
    const listed = byGoModule.get(goModule) ?? [];
    const byDirectory = new Map(listed.map((entry) => [entry.Dir, entry]));
    const neededBy = needsOf(listed);
    const needed = members.flatMap(({ directory }) => {
      const entry = byDirectory.get(path.join(root, directory));
      return entry === undefined ? [] : neededBy(entry);
    });
    return [...new Set(needed)];
  });
}

/** The Go modules whose copies in GOMODCACHE provide packages, `path@version`, sorted. */
export function modulesOf(packages: readonly ListedPackage[]): readonly string[] {
  return [...new Set(packages.flatMap((entry) => goModuleOf(entry) ?? []))].sort();
}

/** The files below go-mod/ that packages are compiled from, sorted. */
export function sourcesOf(packages: readonly ListedPackage[]): readonly string[] {
  const files = packages.flatMap((entry) => {
    const { Dir: directory = "" } = entry;
    if (goModuleOf(entry) === undefined || !directory.startsWith(`${IMAGE_PATHS.goModCache}/`)) return [];
    const folder = directory.slice(IMAGE_PATHS.goModCache.length + 1);
    return sourceFilesOf(entry).map((file) => path.posix.join(folder, file));
  });
  return [...new Set(files)].sort();
}

/** Which package each archive below go-build/ is of: keys of the build graph by names of outputs. */
export function objectsOf({ root, byGoModule }: Listings): ReadonlyMap<string, ListedObject> {
  const objects = new Map<string, ListedObject>();
  for (const packages of byGoModule.values()) {
    for (const entry of packages) {
      const hash = /\/([0-9a-f]{64})-d$/.exec(entry.Export ?? "")?.[1];
      if (hash === undefined) continue;
      objects.set(outputName(hash), { key: packageKey(entry, entry.ImportPath, root), importPath: entry.ImportPath });
    }
  }
  return objects;
}

export interface ListedObject {
  readonly key: string;
  readonly importPath: string;
}
