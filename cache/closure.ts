import { readdir } from "node:fs/promises";
import path from "node:path";

/** Every action and output entry of a GOCACHE, as `xx/<hash>-a|d`. What `go run` linked, in folders, is left out. */
export async function readEntries(goBuildCache: string): Promise<readonly string[]> {
  const names: string[] = [];
  for (const prefix of await readdir(goBuildCache, { withFileTypes: true })) {
    if (!prefix.isDirectory() || !/^[0-9a-f]{2}$/.test(prefix.name)) continue;
    for (const entry of await readdir(path.join(goBuildCache, prefix.name), { withFileTypes: true })) {
      if (entry.isFile() && /^[0-9a-f]{64}-[ad]$/.test(entry.name)) names.push(`${prefix.name}/${entry.name}`);
    }
  }
  return names.sort();
}

/** The modules of a go.sum whose go.mod a build may read, as `path@version`, sorted. */
export function modulesOfGoSum(text: string): readonly string[] {
  const modules = new Set<string>();
  for (const line of text.split("\n")) {
    const match = /^(\S+) (\S+?)\/go\.mod h1:/.exec(line);
    if (match) modules.add(`${match[1] ?? ""}@${match[2] ?? ""}`);
  }
  return [...modules].sort();
}

/** `path@version` of a Go module that stands nowhere else than below GOMODCACHE. */
export const MODULE_VERSION = /^(?!.*(?:^|\/)\.\.?(?:\/|@))[^\s@/][^\s@]*@v[^\s@/]+$/;

/** Go's escaping of module paths and versions in GOMODCACHE: `!` and the small letter for each capital. */
export function escapeModule(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`);
}

/** Where GOMODCACHE keeps a module `path@version`: its source tree, and the stem of its files in cache/download. */
export function moduleFiles(module: string): { readonly tree: string; readonly download: string } {
  const at = module.lastIndexOf("@");
  const [name, version] = [escapeModule(module.slice(0, at)), escapeModule(module.slice(at + 1))];
  return { tree: `${name}@${version}`, download: `cache/download/${name}/@v/${version}` };
}
