import { chmod, copyFile, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import path from "node:path";
import type { GoMounts } from "./go/command.ts";

/** A file by the path at which mounted commands see it, and by the one that it has on this machine. */
export interface ScratchFile {
  readonly inside: string;
  readonly outside: string;
}

/** A folder for files that mounted commands and kiln both use. */
export interface Scratch {
  /** Its path on this machine. */
  readonly folder: string;
  /** Another file each time, which is not there yet. */
  readonly file: (name: string) => ScratchFile;
  /** Where mounted commands find a program of this machine: a copy, since a mount may hide it, or let nothing be started. */
  readonly bring: (program: string) => Promise<string>;
}

const PREFIX = "kiln-";

/**
 * Runs `work` with a folder inside the build cache: that is mounted wherever the store stands, Go's own trimming leaves it
 * alone, and what is linked there gets its place by a rename. Removes what an earlier run left when it was killed: the
 * caller has the store to itself.
 */
export async function withScratch<T>(mounts: GoMounts, work: (scratch: Scratch) => Promise<T>): Promise<T> {
  const { goBuildCache, contract } = mounts;
  for (const name of await readdir(goBuildCache).catch(() => [])) {
    if (name.startsWith(PREFIX)) await rm(path.join(goBuildCache, name), { recursive: true, force: true });
  }
  await mkdir(goBuildCache, { recursive: true });
  const outside = await mkdtemp(path.join(goBuildCache, PREFIX));
  const inside = path.posix.join(contract.paths.goBuildCache, path.basename(outside));
  let count = 0;
  const file = (name: string) => {
    const own = `${++count}-${name}`;
    return { inside: path.posix.join(inside, own), outside: path.join(outside, own) };
  };
  const bring = async (program: string) => {
    const copy = file(path.basename(program));
    await copyFile(program, copy.outside);
    await chmod(copy.outside, 0o755);
    return copy.inside;
  };
  try {
    return await work({ folder: outside, file, bring });
  } finally {
    await rm(outside, { recursive: true, force: true });
  }
}
