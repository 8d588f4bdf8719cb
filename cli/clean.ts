import { readdir } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../errors.ts";
import { readLivingLocks, type LivingLock } from "../toolchain/living-locks.ts";
import { withLock } from "../toolchain/lock.ts";
import { places } from "../toolchain/places.ts";
import { removeFolder } from "../toolchain/remove-folder.ts";
import { bakeLock, isOwnWork } from "../toolchain/work-folder.ts";
import type { Command } from "./command.ts";
import { noArguments } from "./options.ts";

/** `kiln clean`: what costs time alone goes. */
export const cleanCommand: Command = {
  name: "clean",
  summary: "Remove what kiln keeps in the work folder of this checkout (.kiln): stores, runs of releases, scratch.",
  usage: "",
  options: {},
  help: {},
  async run({ positionals, progress }) {
    noArguments(positionals);
    const { work } = places();
    const lock = bakeLock(work);
    // Not under the hands of a bake: it is waited for.
    const removed = await withLock(lock, progress, "a bake of this checkout", async () => {
      requireIdle(
        work,
        (await readLivingLocks(work)).filter(({ file }) => file !== lock),
      );
      const own = (await readdir(work)).filter((name) => isOwnWork(name) && path.join(work, name) !== lock).sort();
      for (const name of own) {
        progress.step(`removing ${name}`);
        await removeFolder(path.join(work, name));
      }
      return own;
    });
    // The folder itself stays: somebody may wait for a lock in it.
    const left = (await readdir(work)).filter((name) => !isOwnWork(name)).sort();
    const others = left.length === 0 ? "" : `; left alone, as kiln did not make it: ${left.join(", ")}`;
    const text = `removed from ${work}: ${removed.length === 0 ? "nothing" : removed.join(", ")}${others}`;
    return { json: { work, removed, left }, text };
  },
};

/** Throws where a release, a shard or whatever else holds a lock works in the folder: what it has there would be gone under it. */
function requireIdle(work: string, [first]: readonly LivingLock[]): void {
  if (first === undefined) return;
  const { file, owner } = first;
  throw new KilnError(
    "failed",
    `process ${owner.pid} on ${owner.host} works in ${work}: it holds ${path.relative(work, file)}`,
    { mend: "Wait for it, or end it, and run the command again. Nothing was removed." },
  );
}
