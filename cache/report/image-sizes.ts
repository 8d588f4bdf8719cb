import type { PackagesDocument } from "../packages-document.ts";
import { packageName } from "./package-name.ts";
import type { PackageSize } from "./size-tree.ts";

/**
 * The sizes of an image's packages, of what is attached to it. What each takes compressed is its share of its layer, by its
 * bytes on disk: a layer is one archive.
 */
export function imageSizes({ layers, sizes }: Pick<PackagesDocument, "layers" | "sizes">): readonly PackageSize[] {
  const modules = likelyModules(Object.values(layers).flatMap((packages) => Object.keys(packages)));
  return Object.entries(layers).flatMap(([provider, packages]) => {
    const total = Object.values(packages).reduce((sum, bytes) => sum + bytes, 0);
    const share = total === 0 ? 0 : (sizes[provider] ?? 0) / total;
    return Object.entries(packages).map(([key, bytes]) => ({
      ...{ provider, ...packageName(key, modules), bytes },
      compressed: Math.round(bytes * share),
    }));
  });
}

/**
 * The modules that package keys (`path@version`) seem to come from, as far as paths tell: what packages of one version have
 * in common, if that is more than a host and a name.
 */
export function likelyModules(keys: readonly string[]): ReadonlySet<string> {
  const common = new Map<string, readonly string[]>();
  for (const key of keys) {
    const at = key.lastIndexOf("@");
    if (at < 0 || key.startsWith("./")) continue;
    const parts = key.slice(0, at).split("/");
    const group = `${parts.slice(0, 2).join("/")}${key.slice(at)}`;
    const known = common.get(group) ?? parts;
    const same = known.findIndex((part, index) => part !== parts[index]);
    common.set(group, same < 0 ? known : known.slice(0, same));
  }
  return new Set([...common].map(([group, parts]) => `${parts.join("/")}${group.slice(group.lastIndexOf("@"))}`));
}
