import { STANDARD_LIBRARY } from "./package-name.ts";
import type { Measure, PackageSize } from "./size-tree.ts";

/** How a package, or all packages of a layer, differ between two caches or images. */
export interface SizeChange {
  readonly name: string;
  readonly kind: "new" | "gone" | "grown" | "shrunk";
  /** Bytes, compressed. */
  readonly before: number;
  readonly after: number;
}

/**
 * What is new, gone, grown or shrunk, the greatest difference first. A package is known by its path, whatever the version
 * of its module and the layer that carries it; what differs by less than `least` bytes is the same.
 */
export function packageChanges(
  before: readonly PackageSize[],
  after: readonly PackageSize[],
  least = 1,
): readonly SizeChange[] {
  return changes(totals(before, nameOf, "compressed"), totals(after, nameOf, "compressed"), least);
}

/** What a package is known by: its import path, with whose it is where the name does not say so. */
function nameOf({ goModule, name }: PackageSize): string {
  const module = goModule.replace(/@[^@]*$/, "");
  return goModule === STANDARD_LIBRARY || `${name}/`.startsWith(`${module}/`) ? name : `${module}: ${name}`;
}

/** The same of layers, by their names. */
export function layerChanges(
  before: readonly { readonly name: string; readonly bytes: number }[],
  after: readonly { readonly name: string; readonly bytes: number }[],
): readonly SizeChange[] {
  return changes(
    totals(before, ({ name }) => name, "bytes"),
    totals(after, ({ name }) => name, "bytes"),
    1,
  );
}

function totals<T extends Partial<Record<Measure, number>>>(
  sizes: readonly T[],
  key: (size: T) => string,
  measure: Measure,
): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const size of sizes) found.set(key(size), (found.get(key(size)) ?? 0) + (size[measure] ?? 0));
  return found;
}

function changes(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
  least: number,
): readonly SizeChange[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .map((name): SizeChange => {
      const [was, is] = [before.get(name), after.get(name)];
      const kind = was === undefined ? "new" : is === undefined ? "gone" : is > was ? "grown" : "shrunk";
      return { name, kind, before: was ?? 0, after: is ?? 0 };
    })
    .filter(({ before: was, after: is, kind }) => kind === "new" || kind === "gone" || Math.abs(is - was) >= least)
    .sort((a, b) => difference(b) - difference(a) || (a.name < b.name ? -1 : 1));
}

function difference({ before, after }: SizeChange): number {
  return Math.abs(after - before);
}
