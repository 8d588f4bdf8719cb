import { importsOf, type ListedPackage } from "./go/list.ts";

/** Packages that cost less than this share of the whole change nothing wherever they come. */
const LEAST_SHARE = 0.01;

/**
 * The dear packages of a listing, first the one after which the most is still to be compiled one after the other. Go starts
 * what is ready in the depth-first order of its arguments (Do in cmd/go/internal/work/exec.go), so naming these first gives
 * longest-path scheduling. What std has vendored cannot be named.
 */
export function longestFirst(
  packages: readonly ListedPackage[],
  costs: Readonly<Record<string, number>>,
): readonly string[] {
  const costOf = (importPath: string) => costs[importPath] ?? 0;
  const remaining = new Map<string, number>();
  // `go list -deps` names a package after all that it imports: from the end, each comes after all that imports it.
  for (const entry of packages.toReversed()) {
    const chain = (remaining.get(entry.ImportPath) ?? 0) + costOf(entry.ImportPath);
    remaining.set(entry.ImportPath, chain);
    for (const name of importsOf(entry)) remaining.set(name, Math.max(remaining.get(name) ?? 0, chain));
  }
  const total = packages.reduce((sum, { ImportPath }) => sum + costOf(ImportPath), 0);
  return packages
    .filter(({ ImportPath, Standard }) => Standard !== true && costOf(ImportPath) >= Math.max(total * LEAST_SHARE, 0.1))
    .map(({ ImportPath }) => ImportPath)
    .sort((a, b) => (remaining.get(b) ?? 0) - (remaining.get(a) ?? 0) || (a < b ? -1 : 1));
}
