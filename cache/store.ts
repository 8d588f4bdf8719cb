import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { copyFile, lstat, mkdir, readdir, realpath, rename, rm, stat, statfs } from "node:fs/promises";
import path from "node:path";
import { setImmediate } from "node:timers/promises";
import { KilnError } from "../errors.ts";
import { throwIfInterrupted } from "../toolchain/process.ts";
import { moduleFiles } from "./closure.ts";
import { concurrently } from "./concurrently.ts";
import { MANIFEST_FILE } from "./manifest.ts";

/** All that a cache directory may hold. */
const CACHE_PARTS = new Set(["go-build", "go-mod", "binaries", MANIFEST_FILE]);

/** Free bytes that warming wants before it starts: objects, sources and layers of a large repository. */
const WANTED_BYTES = 10 * 1024 ** 3;

/** The time that shipped entries carry: Go neither trims nor touches what is not yet an hour old (docs/adr/0005). */
export const FAR_FUTURE_SECONDS = Date.UTC(2100, 0, 1) / 1000;

/**
 * Throws when a store has too little room for a step that may need 10 GB; where volumes are mounted at its caches, they count.
 * `KILN_MIN_FREE_GB` overrides.
 */
export async function requireFreeSpace(folder: string, env: NodeJS.ProcessEnv = process.env): Promise<void> {
  const wanted = env.KILN_MIN_FREE_GB === undefined ? WANTED_BYTES : Number(env.KILN_MIN_FREE_GB) * 1024 ** 3;
  if (Number.isNaN(wanted)) {
    throw new KilnError("usage", `KILN_MIN_FREE_GB is "${env.KILN_MIN_FREE_GB ?? ""}"`, {
      mend: "Set it to a number of GB.",
    });
  }
  await mkdir(folder, { recursive: true });
  const gigabytes = (bytes: number) => (bytes / 1024 ** 3).toFixed(1);
  const volume = path.join(folder, "go-build");
  const { bavail, bsize } = await statfs(volume).catch(() => statfs(folder));
  const free = bavail * bsize;
  if (free >= wanted) return;
  throw new KilnError("failed", `${folder} has ${gigabytes(free)} GB free; warming wants ${gigabytes(wanted)} GB`, {
    mend: "Free space (`npx kiln down`, `docker system prune`), point --store and --out at a larger disk, or lower KILN_MIN_FREE_GB for a small repository.",
  });
}

/**
 * Makes a directory as a whole: `fill` writes to a sibling, which takes the place of `directory` only when it is done.
 * Refuses to replace a directory that is neither empty nor a cache directory.
 */
export async function replaceDirectory<T>(directory: string, fill: (partial: string) => Promise<T>): Promise<T> {
  const partial = `${directory}.partial`;
  const present = await readdir(directory).catch((error: unknown): readonly string[] =>
    (error as NodeJS.ErrnoException).code === "ENOENT" ? [] : [directory],
  );
  if (present.length > 0 && !(present.includes(MANIFEST_FILE) && present.every((name) => CACHE_PARTS.has(name)))) {
    throw new KilnError("usage", `${directory} is neither empty nor a cache directory; kiln will not replace it`, {
      mend: "Choose another --out.",
    });
  }
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  try {
    const filled = await fill(partial);
    const replaced = `${directory}.replaced`;
    await removeCache(replaced);
    if (present.length > 0) await rename(directory, replaced);
    await rename(partial, directory).catch(async (error: unknown) => {
      if (present.length > 0) await rename(replaced, directory);
      throw error;
    });
    await removeCache(replaced);
    return filled;
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
}

/** Removes a cache's hundreds of thousands of entries folder by folder: one asynchronous removal of all takes 250 MB. */
async function removeCache(directory: string): Promise<void> {
  const goBuild = path.join(directory, "go-build");
  for (const folder of await readdir(goBuild).catch(() => [])) {
    throwIfInterrupted();
    rmSync(path.join(goBuild, folder), { recursive: true, force: true });
    await setImmediate();
  }
  await rm(directory, { recursive: true, force: true });
}

/** Links files into another folder under the same names, or copies them where they cannot be linked. */
export async function linkFiles(from: string, to: string, names: readonly string[]): Promise<void> {
  await makeFolders(to, names);
  const unlinked: string[] = [];
  await inBatches(names, (name) => {
    if (!isLinked(path.join(from, name), path.join(to, name))) unlinked.push(name);
  });
  await concurrently(unlinked, (name) => copyFile(path.join(from, name), path.join(to, name)));
}

function isLinked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    // Where a volume came with files of another user, the kernel lets none but that user link them (protected_hardlinks).
    if (["EXDEV", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "")) return false;
    throw error;
  }
}

async function makeFolders(root: string, names: readonly string[]): Promise<void> {
  const folders = new Set(names.map((name) => path.dirname(name)));
  await inBatches([...folders], (folder) => {
    mkdirSync(path.join(root, folder), { recursive: true });
  });
}

/** Short enough for a signal to be heard between two of them. */
const BATCH = 256;

/** Short calls to the file system, one after the other: as promises, 25,000 links take five times as long. */
async function inBatches<T>(items: readonly T[], work: (item: T) => void): Promise<void> {
  for (let start = 0; start < items.length; start += BATCH) {
    throwIfInterrupted();
    for (const item of items.slice(start, start + BATCH)) work(item);
    await setImmediate();
  }
}

/**
 * Puts GOCACHE entries into another cache. Outputs are linked, their names being their content's hash; action entries
 * are written anew, since Go rewrites them in place, with a fixed time so that equal work gives equal bytes.
 */
export async function exportEntries(from: string, to: string, names: readonly string[]): Promise<void> {
  await linkFiles(
    from,
    to,
    names.filter((name) => name.endsWith("-d")),
  );
  const actions = names.filter((name) => name.endsWith("-a"));
  await makeFolders(to, actions);
  await inBatches(actions, (name) => {
    writeFileSync(path.join(to, name), withFixedTime(readFileSync(path.join(from, name), "utf8")));
  });
}

/** An action entry, `v1 <action> <output> <size> <nanoseconds>`, with the far-future time in place of its own. */
export function withFixedTime(entry: string): string {
  const fields = /^v1 ([0-9a-f]{64}) ([0-9a-f]{64}) ([ \d]{20}) [ \d]{20}\n$/.exec(entry);
  if (!fields)
    throw new KilnError("failed", `not an action entry of Go's build cache: ${JSON.stringify(entry.slice(0, 80))}`);
  const nanoseconds = `${FAR_FUTURE_SECONDS}000000000`.padStart(20);
  return `v1 ${fields[1] ?? ""} ${fields[2] ?? ""} ${fields[3] ?? ""} ${nanoseconds}\n`;
}

/**
 * Throws where a file of a cache is not one that stands in it: caches come from other machines, and a link in one would put
 * any file of this machine into a layer. `folders` remembers what was looked at.
 */
export async function requireOwnFile(root: string, name: string, folders: Set<string>): Promise<void> {
  const file = path.join(root, name);
  const folder = path.dirname(file);
  if (!folders.has(folder)) {
    if ((await realpath(folder)) !== path.join(await realpath(root), path.dirname(name))) throw strayFile(file);
    folders.add(folder);
  }
  if (!(await lstat(file)).isFile()) throw strayFile(file);
}

function strayFile(file: string): KilnError {
  return new KilnError("usage", `${file} is a link, or stands behind one; a cache holds its files itself`, {
    mend: "Do not use that cache: find out where it comes from, and warm it again.",
  });
}

/** The names of all files below a module's source tree in a GOMODCACHE, relative to the GOMODCACHE. */
export async function readModuleTree(goModCache: string, module: string): Promise<readonly string[]> {
  const { tree } = moduleFiles(module);
  const entries = await readdir(path.join(goModCache, tree), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(goModCache, path.join(entry.parentPath, entry.name)))
    .sort();
}

/** The small files by which Go knows a module version (go.mod, version data, hash of its archive), as far as they exist. */
export async function readModuleMetadata(goModCache: string, module: string): Promise<readonly string[]> {
  const { download } = moduleFiles(module);
  const names = [".info", ".mod", ".ziphash"].map((extension) => `${download}${extension}`);
  const present = await Promise.all(
    names.map(async (name) => (await stat(path.join(goModCache, name)).catch(() => undefined)) !== undefined),
  );
  return names.filter((_, index) => present[index]);
}

/** The bytes of all files below a directory, each linked file counted once a name. */
export async function directoryBytes(directory: string): Promise<number> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  let bytes = 0;
  await concurrently(
    entries.filter((entry) => entry.isFile()),
    async (entry) => {
      const { size } = await stat(path.join(entry.parentPath, entry.name));
      bytes += size;
    },
  );
  return bytes;
}

/** Whether a store's build cache has all of these entries. */
export async function hasEntries(store: string, names: ReadonlySet<string>): Promise<boolean> {
  let all = true;
  await concurrently([...names], async (name) => {
    if (all) all = (await lstat(path.join(store, "go-build", name)).catch(() => undefined)) !== undefined;
  });
  return all;
}
