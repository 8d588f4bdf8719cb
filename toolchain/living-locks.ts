import { readdir } from "node:fs/promises";
import path from "node:path";
import { ownerOf, type LockOwner } from "./lock.ts";

/** A lock, and the process that holds it. */
export interface LivingLock {
  readonly file: string;
  readonly owner: LockOwner;
}

/** How many folders deep kiln's locks stand in its work folder, that itself being the first: `release/groups/<group>.lock`. */
const DEPTH = 3;

/** The locks in a work folder that a living process holds, also in a store that is linked there. Takes none of them. */
export async function readLivingLocks(folder: string, depth = DEPTH): Promise<readonly LivingLock[]> {
  // What is no folder, or one that nobody may read, has none.
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const found = entries.map(async (entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isFile()) return /(?:^|\.)lock$/.test(entry.name) ? readLivingLock(file) : [];
    return depth > 1 && (entry.isDirectory() || entry.isSymbolicLink()) ? readLivingLocks(file, depth - 1) : [];
  });
  return (await Promise.all(found)).flat();
}

/** Others have files of that name too, such as `flake.lock`: those name no process. */
async function readLivingLock(file: string): Promise<readonly LivingLock[]> {
  const owner = await ownerOf(file);
  return typeof owner === "string" || typeof owner.pid !== "number" ? [] : [{ file, owner }];
}
