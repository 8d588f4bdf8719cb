import { statfs } from "node:fs/promises";
import { KilnError } from "../errors.ts";
import { run } from "../toolchain/process.ts";

const MARGIN = 2e9;

/** Throws where the disk of `work` cannot take `times` as much again as a folder holds, and two gigabytes. */
export async function requireSpace(work: string, folder: string, times: number): Promise<void> {
  const { stdout } = await run("du", ["-s", "-B1", folder]);
  const needed = Number(stdout.split("\t")[0]) * times + MARGIN;
  const { bavail, bsize } = await statfs(work);
  const free = bavail * bsize;
  if (free >= needed) return;
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  throw new KilnError("failed", `it needs ${gigabytes(needed)} of disk, and ${gigabytes(free)} are free at ${work}`, {
    mend: "Free space, or name a work folder on a larger disk with --work; the same command then goes on.",
  });
}
