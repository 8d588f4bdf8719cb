import { readdir } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { readEntries } from "./closure.ts";
import { contractDifferences, type BuildContract } from "./contract.ts";
import { fillStore, type FilledStore } from "./fill-store.ts";
import { readManifest } from "./manifest.ts";
import { requireSoundEntries } from "./registry-store.ts";
import { linkFiles } from "./store.ts";

/**
 * Fills a store from a cache directory, such as the artifact of another job. Every output is compared with its name, and the
 * directory with its manifest: what was cut off on its way throws before anything of it is in the store.
 */
export async function restoreDirectory(options: {
  readonly directory: string;
  readonly store: string;
  readonly contract: BuildContract;
  readonly progress: Progress;
}): Promise<FilledStore> {
  const { directory, store, contract, progress } = options;
  progress.step(`filling the store from ${directory}`);
  const manifest = await readManifest(directory);
  const differences = contractDifferences(manifest.contract, contract);
  if (differences.length > 0) {
    throw new KilnError("usage", `${directory} was warmed differently:\n  ${differences.join("\n  ")}`, {
      mend: "Warm it again by a plan of this kiln and for this platform.",
    });
  }
  const [goBuild, goMod] = [path.join(directory, "go-build"), path.join(directory, "go-mod")];
  const entries = await readEntries(goBuild);
  requireComplete(directory, manifest.closures, new Set(entries));
  await requireSoundEntries(goBuild, directory);
  const modules = await readFiles(goMod);
  return fillStore(store, progress, async (into) => {
    const found = { goBuild: path.join(into, "go-build"), goMod: path.join(into, "go-mod") };
    await linkFiles(goBuild, found.goBuild, entries);
    await linkFiles(goMod, found.goMod, modules);
    return { ...found, entries, packed: false, unindexed: [] };
  });
}

function requireComplete(
  directory: string,
  closures: Readonly<Record<string, { readonly goBuild: readonly string[] }>>,
  there: ReadonlySet<string>,
): void {
  const missing = Object.values(closures).flatMap(({ goBuild }) => goBuild.filter((name) => !there.has(name)));
  const [first] = missing;
  if (first === undefined) return;
  throw new KilnError("difference", `${directory} lacks ${missing.length} of its entries, go-build/${first} first`, {
    mend: "It was cut off or changed on its way here: fetch it again, or warm its shard again.",
  });
}

async function readFiles(folder: string): Promise<readonly string[]> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  return files
    .filter((file) => file.isFile())
    .map((file) => path.relative(folder, path.join(file.parentPath, file.name)));
}
