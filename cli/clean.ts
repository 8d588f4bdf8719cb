import { readdir, rmdir } from "node:fs/promises";
import path from "node:path";
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
    // Not under the hands of a bake: it is waited for.
    const removed = await withLock(bakeLock(work), progress, "a bake of this checkout", async () => {
      const own = (await readdir(work)).filter(isOwnWork).sort();
      for (const name of own) {
        progress.step(`removing ${name}`);
        await removeFolder(path.join(work, name));
      }
      return own;
    });
    const left = (await readdir(work)).sort();
    if (left.length === 0) await rmdir(work);
    const others = left.length === 0 ? "" : `; left alone, as kiln did not make it: ${left.join(", ")}`;
    const text = `removed from ${work}: ${removed.length === 0 ? "nothing" : removed.join(", ")}${others}`;
    return { json: { work, removed, left }, text };
  },
};
