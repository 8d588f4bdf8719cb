import { chmod, copyFile, mkdir, mkdtemp, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Program } from "./programs.ts";
import { readSourceNames } from "./source-files.ts";
import { FAR_FUTURE_SECONDS } from "./store.ts";

/** A copy of what builds of programs read. */
export interface StagedSource {
  /** Holds everything that was copied, directories beside the source included. */
  readonly root: string;
  /** Where the source stands in it, relative to the root; empty for the root itself. */
  readonly inside: string;
}

/**
 * Runs `work` on a copy of what builds of programs read and of nothing else, at a path that warming never saw, open to
 * every user whatever the source's modes are. Its files are dated far ahead: Go indexes no package of young files, and so
 * leaves no cache entry that is good for this path and these dates only.
 */
export async function withStagedSource<T>(
  source: string,
  programs: readonly Program[],
  work: (staged: StagedSource) => Promise<T>,
): Promise<T> {
  const names = await readSourceNames(source, programs);
  const above = Math.max(0, ...names.map((name) => name.split("/").filter((part) => part === "..").length));
  const inside = Array.from({ length: above }, () => "source").join("/");
  const root = await mkdtemp(path.join(tmpdir(), "kiln-source-"));
  try {
    await chmod(root, 0o755);
    for (const name of names) await copyOpen(path.join(source, name), root, path.posix.join(inside, name));
    return await work({ root, inside });
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function copyOpen(from: string, root: string, name: string): Promise<void> {
  const folders = path.posix.dirname(name).split("/");
  const target = path.join(root, name);
  await mkdir(path.dirname(target), { recursive: true });
  for (const [index] of folders.entries()) await chmod(path.join(root, ...folders.slice(0, index + 1)), 0o755);
  await copyFile(from, target);
  await chmod(target, 0o644);
  await utimes(target, FAR_FUTURE_SECONDS, FAR_FUTURE_SECONDS);
}
