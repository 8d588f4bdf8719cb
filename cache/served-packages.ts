import type { ListedPackage } from "./go/list.ts";

/** How many of the packages that a shard's programs are built from the store had, and how many had to be compiled. */
export interface ServedPackages {
  readonly hits: number;
  readonly misses: number;
}

/**
 * Counts packages by their directory, since two go.mod files may know different ones by one import path. What one of them
 * had to compile is a miss, though the next one then finds it.
 */
export class PackageTally {
  readonly #compiled = new Set<string>();
  readonly #served = new Set<string>();

  /**
   * Adds a listing with `-export`, and the lines that Go printed meanwhile: with `-v` each package whose compile action is
   * run. What has neither a line nor an export file was not built: `unsafe`, and what imports a package that fails.
   */
  add(packages: readonly ListedPackage[], lines: ReadonlySet<string>): void {
    for (const { ImportPath, Dir = ImportPath, Export } of packages) {
      if (lines.has(ImportPath)) this.#compiled.add(Dir);
      else if (Export !== undefined) this.#served.add(Dir);
    }
  }

  get counts(): ServedPackages {
    const hits = [...this.#served].filter((directory) => !this.#compiled.has(directory)).length;
    return { hits, misses: this.#compiled.size };
  }
}

/** One line on what a store had, for people. */
export function servedText({ hits, misses }: ServedPackages): string {
  const all = hits + misses;
  if (all === 0) return "no packages to compile";
  return `${hits} of ${all} packages came from the store (${Math.floor((hits / all) * 100)}%), ${misses} were compiled`;
}
