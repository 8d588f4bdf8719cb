import { readdir, stat, utimes } from "node:fs/promises";
import path from "node:path";
import { concurrently } from "./concurrently.ts";

/** Go refreshes an entry's time when a build reads it, but only where the time is older than an hour (cache.go). */
const AGE_SECONDS = 2 * 60 * 60;

/** Every action and output entry of a GOCACHE, as `xx/<hash>-a|d`. Link results, which are directories, are left out. */
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

/**
 * The entries that `build` reads from or adds to a GOCACHE, sorted: exact, because Go itself marks what it reads. Entries
 * too young to be marked are first made two hours old, which is far from the five days after which Go trims.
 * The caller keeps other builds away from the cache meanwhile. The idea is tailscale's, who trim their CI caches so.
 */
export async function entriesUsedBy(goBuildCache: string, build: () => Promise<void>): Promise<readonly string[]> {
  const start = Math.floor(Date.now() / 1000) - 1;
  const old = start - AGE_SECONDS;
  await forEachEntry(goBuildCache, async (file, mtimeSeconds) => {
    if (mtimeSeconds > old) await utimes(file, old, old);
  });
  await build();
  const used: string[] = [];
  await forEachEntry(goBuildCache, (file, mtimeSeconds, name) => {
    if (mtimeSeconds >= start) used.push(name);
    return Promise.resolve();
  });
  return used.sort();
}

async function forEachEntry(
  goBuildCache: string,
  visit: (file: string, mtimeSeconds: number, name: string) => Promise<void>,
): Promise<void> {
  await concurrently(await readEntries(goBuildCache), async (name) => {
    const file = path.join(goBuildCache, name);
    await visit(file, (await stat(file)).mtimeMs / 1000, name);
  });
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
