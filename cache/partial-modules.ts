import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { concurrently } from "./concurrently.ts";
import { writeJson } from "./manifest.ts";
import { removeFolder } from "../toolchain/remove-folder.ts";

/**
 * Modules of a store that came out of packs, without their tests. Go uses them for as long as it has their indexes, which
 * came with them; an index that it made anew would say that there are no tests, and layers with it would differ from those
 * of a machine that fetched the modules. So they serve the run that restored them, and the next one removes them first.
 */
interface PartialModules {
  /** Which process restored them. */
  readonly run: string;
  /** Below go-mod/. */
  readonly trees: readonly string[];
}

/** Where the trees are: volumes may be mounted at the caches of a store, and outlive what is around them. */
const FILE = "go-mod/cache/kiln-partial-modules.json";

/** Notes modules before they are put into a store, so that none is taken for whole, whenever this process ends. */
export async function notePartialModules(store: string, trees: readonly string[]): Promise<void> {
  const noted = await readPartialModules(store);
  const all = [...new Set([...(noted?.trees ?? []), ...trees])].sort();
  await writeJson(path.join(store, FILE), { run: thisRun(), trees: all } satisfies PartialModules);
}

/** Removes the partial modules of a store, but for those of this process. */
export async function dropPartialModules(store: string): Promise<void> {
  const noted = await readPartialModules(store);
  if (noted === undefined || noted.run === thisRun()) return;
  await concurrently(noted.trees.filter(isTree), (tree) => removeFolder(path.join(store, "go-mod", tree)));
  await rm(path.join(store, FILE));
}

/** A plain path of a module with its version: nothing else is ever removed. */
function isTree(tree: string): boolean {
  return path.posix.normalize(tree) === tree && /^[^/.].*@v[^/]+$/.test(tree);
}

async function readPartialModules(store: string): Promise<PartialModules | undefined> {
  const text = await readFile(path.join(store, FILE), "utf8").catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  });
  return text === undefined ? undefined : (JSON.parse(text) as PartialModules);
}

function thisRun(): string {
  return `${process.pid} ${performance.timeOrigin}`;
}
