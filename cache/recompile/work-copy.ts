import { copyFile, mkdir } from "node:fs/promises";
import path from "node:path";
import { concurrently } from "../concurrently.ts";
import { linkFiles } from "../store.ts";
import { entryName, type Answer } from "./entries.ts";

/**
 * Puts these actions of a GOCACHE, with their outputs, into an empty folder. Outputs are linked: Go writes into none whose
 * content is right, and only such are given here. Actions are copied, since Go rewrites them in place.
 */
export async function copyActions(from: string, to: string, actions: ReadonlyMap<string, Answer>): Promise<void> {
  await mkdir(to, { recursive: true });
  const outputs = new Set([...actions.values()].map(({ output }) => entryName(output, "d")));
  await linkFiles(from, to, [...outputs]);
  await concurrently([...actions.keys()], async (action) => {
    const name = entryName(action, "a");
    await mkdir(path.dirname(path.join(to, name)), { recursive: true });
    await copyFile(path.join(from, name), path.join(to, name));
  });
}
