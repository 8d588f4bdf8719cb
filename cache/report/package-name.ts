/** What stands for the Go module of packages that come from none. */
export const STANDARD_LIBRARY = "standard library";
export const REPOSITORY = "this repository";

/** Whose a package is. */
export interface PackageName {
  readonly goModule: string;
  /** The import path, or the directory of a package of the repository's own. */
  readonly name: string;
}

/**
 * The Go module and the name of a package by its key in the build graph: `fmt`, `path@version` or `./directory`. A key has
 * the version of its module and not the module's path: that is the longest of `modules` (`path@version`) that it begins with.
 */
export function packageName(key: string, modules: ReadonlySet<string>): PackageName {
  if (key.startsWith("./")) return { goModule: REPOSITORY, name: key.slice(2) };
  const at = key.lastIndexOf("@");
  if (at < 0) return { goModule: STANDARD_LIBRARY, name: key };
  const [name, version] = [key.slice(0, at), key.slice(at + 1)];
  for (let path = name; path !== ""; path = path.slice(0, Math.max(0, path.lastIndexOf("/")))) {
    if (modules.has(`${path}@${version}`)) return { goModule: `${path}@${version}`, name };
  }
  return { goModule: key, name };
}
