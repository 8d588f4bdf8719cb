import path from "node:path";

/** What bakes leave in the work folder, sources and plugins that they fetched among it: `kiln down` removes it. */
export const BAKE_FOLDERS: readonly string[] = [
  ...["bake", "layers", "plugins", "sources", "store", "tools-image", "tools-image.tar"],
];

/** What else kiln keeps there: runs of releases, scratch, and what tests, benchmarks and the Makefile make. */
const OTHERS: readonly string[] = [
  ...["bench", "gocache-image", "release", "shards", "simulated"],
  ...["test-results.json", "test-store", "test-store-fixture"],
];

/** Scratch of a process, which removes it itself unless it is killed. */
const SCRATCH = /^(?:kiln-recompile|program-image|sbom)-\w{6}$/;

/** Locks beside folders of the work folder, and what stands beside those for a moment, or for ever where a taker is killed. */
const LOCKS = /^(?:bake|bench|plugins)\.lock(?:\..+)?$/;

/** Whether kiln made an entry of the work folder. Whatever has another name is somebody's own. */
export function isOwnWork(name: string): boolean {
  return BAKE_FOLDERS.includes(name) || OTHERS.includes(name) || SCRATCH.test(name) || LOCKS.test(name);
}

/** The file that a bake of the checkout holds. */
export function bakeLock(work: string): string {
  return path.join(work, "bake.lock");
}
