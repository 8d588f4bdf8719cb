import { access, cp, mkdir, mkdtemp, readdir, rename, rm, utimes } from "node:fs/promises";
import path from "node:path";
import type { Progress } from "../progress.ts";
import { moduleFiles } from "./closure.ts";
import { concurrently } from "./concurrently.ts";
import { withStore } from "./local-store.ts";
import { notePartialModules } from "./partial-modules.ts";

/** What a store got from elsewhere: actions and source trees that it did not have. */
export interface FilledStore {
  readonly entries: number;
  readonly modules: number;
}

/** Caches as plain files, on the store's disk, to be taken over. */
export interface FoundCaches {
  readonly goBuild: string;
  readonly goMod: string;
  /** Names below `goBuild`. */
  readonly entries: readonly string[];
  /** Whether they came out of packs, which have modules without their tests. */
  readonly packed: boolean;
  /** Modules (`path@version`) of which only version data is taken. */
  readonly unindexed: readonly string[] | "all";
}

/**
 * Fills a store: `find` brings caches into a folder of its own there, and what the store lacks of them moves to its place.
 * What the store has stays.
 */
export function fillStore(
  store: string,
  progress: Progress,
  find: (into: string) => Promise<FoundCaches>,
): Promise<FilledStore> {
  return withStore(store, progress, async () => {
    // On the disk of the modules, whose volume may be all that can be written to.
    const folder = path.join(store, "go-mod", "cache");
    await mkdir(folder, { recursive: true });
    await removeLeftovers(folder);
    const into = await mkdtemp(path.join(folder, SCRATCH));
    try {
      const found = await find(into);
      const entries = await moveEntries(found.goBuild, path.join(store, "go-build"), found.entries);
      return { entries, modules: await moveModules(store, found) };
    } finally {
      await rm(into, { recursive: true, force: true });
    }
  });
}

/** What caches are brought into: inside the store, and gone before that is used. */
const SCRATCH = "kiln-restore-";

async function removeLeftovers(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.startsWith(SCRATCH));
  await Promise.all(names.map((name) => rm(path.join(folder, name), { recursive: true, force: true })));
}

/**
 * Moves the entries that a store lacks, outputs before the actions that name them, as young as if it had just made them: Go
 * trims them there once nobody uses them. Returns how many actions there were.
 */
async function moveEntries(from: string, to: string, names: readonly string[]): Promise<number> {
  let moved = 0;
  const move = async (name: string) => {
    const target = path.join(to, name);
    if (await exists(target)) return;
    await mkdir(path.dirname(target), { recursive: true });
    const now = new Date();
    await utimes(path.join(from, name), now, now);
    await moveTo(path.join(from, name), target);
    if (name.endsWith("-a")) moved += 1;
  };
  for (const type of ["-d", "-a"])
    await concurrently(
      names.filter((name) => name.endsWith(type)),
      move,
    );
  return moved;
}

/**
 * Moves the modules that a store lacks: their source trees, each whole or not at all, and what Go knows of them. Packs have
 * modules without their tests, which is enough for as long as Go has their indexes. Of those without one (`unindexed`) only
 * version data is taken: Go fetches them where it needs them.
 */
async function moveModules(store: string, { goMod: from, packed, unindexed }: FoundCaches): Promise<number> {
  const to = path.join(store, "go-mod");
  const left = unindexed === "all" ? "all" : new Set(unindexed.map((module) => moduleFiles(module).tree));
  const lacking: string[] = [];
  for (const tree of left === "all" ? [] : await treesBelow(from)) {
    if (left !== "all" && !left.has(tree) && !(await exists(path.join(to, tree)))) lacking.push(tree);
  }
  if (packed && lacking.length > 0) await notePartialModules(store, lacking);
  await concurrently(lacking, async (tree) => {
    await mkdir(path.dirname(path.join(to, tree)), { recursive: true });
    await moveTo(path.join(from, tree), path.join(to, tree));
  });
  const download = path.join("cache", "download");
  const files = await readdir(path.join(from, download), { recursive: true, withFileTypes: true }).catch(() => []);
  await concurrently(
    files
      .filter((file) => file.isFile() && /\.(?:info|mod|ziphash)$/.test(file.name))
      .map((file) => path.relative(from, path.join(file.parentPath, file.name))),
    async (name) => {
      const target = path.join(to, name);
      if (await exists(target)) return;
      await mkdir(path.dirname(target), { recursive: true });
      await moveTo(path.join(from, name), target);
    },
  );
  return lacking.length;
}

/** The source trees below a GOMODCACHE: folders whose name has a version. */
async function treesBelow(goModCache: string, folder = ""): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of await readdir(path.join(goModCache, folder), { withFileTypes: true })) {
    const name = path.posix.join(folder, entry.name);
    if (!entry.isDirectory() || name === "cache") continue;
    if (entry.name.includes("@")) found.push(name);
    else found.push(...(await treesBelow(goModCache, name)));
  }
  return found;
}

/** Moves a file or folder, also to another disk: volumes may be mounted at the caches of a store. */
async function moveTo(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EXDEV") throw error;
    const partial = `${to}.partial`;
    await cp(from, partial, { recursive: true, preserveTimestamps: true });
    await rename(partial, to);
  }
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
