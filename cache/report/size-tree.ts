/** How much one thing takes in a cache or an image: an archive, a finished program, sources, an index. */
export interface PackageSize {
  /** The layer that carries it: a provider, or `common`. */
  readonly provider: string;
  /** The Go module, `path@version`; or `standard library`, `this repository` and the like. */
  readonly goModule: string;
  readonly name: string;
  /** Bytes on disk where caches are plain files. */
  readonly bytes: number;
  /** Bytes compressed by themselves. */
  readonly compressed: number;
}

/** What of a size is shown. */
export type Measure = "bytes" | "compressed";

export interface SizeNode {
  readonly name: string;
  readonly bytes: number;
  readonly compressed: number;
  /** Empty for a package. */
  readonly children: readonly SizeNode[];
}

/** The sizes as a tree: provider, Go module, package, each level with the largest first. */
export function sizeTree(sizes: readonly PackageSize[]): readonly SizeNode[] {
  return grouped(
    sizes,
    ({ provider }) => provider,
    (ofProvider) =>
      grouped(
        ofProvider,
        ({ goModule }) => goModule,
        (ofModule) =>
          grouped(
            ofModule,
            ({ name }) => name,
            () => [],
          ),
      ),
  );
}

function grouped(
  sizes: readonly PackageSize[],
  key: (size: PackageSize) => string,
  childrenOf: (sizes: readonly PackageSize[]) => readonly SizeNode[],
): readonly SizeNode[] {
  return [...Map.groupBy(sizes, key)]
    .map(([name, members]) => ({
      name,
      bytes: sum(members, "bytes"),
      compressed: sum(members, "compressed"),
      children: childrenOf(members),
    }))
    .sort((a, b) => b.compressed - a.compressed || b.bytes - a.bytes || (a.name < b.name ? -1 : 1));
}

/** The sum of one measure. */
export function sum(sizes: readonly Pick<PackageSize, Measure>[], measure: Measure): number {
  return sizes.reduce((total, size) => total + size[measure], 0);
}
