import { randomUUID } from "node:crypto";
import { link, mkdir, open, rename, rm } from "node:fs/promises";
import path from "node:path";

/** Writes a file that only its owner reads, beside the place, then renames it: after a crash it is the old or the new. */
export async function writeWhole(file: string, text: string): Promise<void> {
  await withNeighbour(file, text, (neighbour) => rename(neighbour, file));
}

/** The same where there is no such file yet; returns whether it was written. Of several that try, one does. */
export async function writeFirst(file: string, text: string): Promise<boolean> {
  return withNeighbour(file, text, async (neighbour) => {
    try {
      await link(neighbour, file);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
      throw error;
    }
  });
}

async function withNeighbour<T>(file: string, text: string, place: (neighbour: string) => Promise<T>): Promise<T> {
  const folder = path.dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const neighbour = `${file}.${randomUUID()}`;
  try {
    const handle = await open(neighbour, "wx", 0o600);
    await handle.writeFile(text);
    await handle.sync();
    await handle.close();
    const placed = await place(neighbour);
    await syncFolder(folder);
    return placed;
  } finally {
    await rm(neighbour, { force: true });
  }
}

/** A name outlives a crash once its folder is written. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
