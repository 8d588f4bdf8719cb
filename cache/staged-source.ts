import { chmod, copyFile, mkdir, mkdtemp, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { concurrently } from "./concurrently.ts";
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
  // Open to the user of a container, and behind a folder that no other user of this machine enters.
  const own = await mkdtemp(path.join(tmpdir(), "kiln-source-"));
  const root = path.join(own, "files");
  try {
    const files = names.map((name) => ({ from: path.join(source, name), to: path.posix.join(inside, name) }));
    for (const folder of foldersOf(files.map(({ to }) => to))) await mkdirOpen(path.join(root, folder));
    await concurrently(files, ({ from, to }) => copyOpen(from, path.join(root, to)));
    return await work({ root, inside });
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

/** All folders that files stand in, each after those that it stands in itself. */
function foldersOf(files: readonly string[]): readonly string[] {
  const folders = new Set(["."]);
  for (const file of files) {
    for (let folder = path.posix.dirname(file); !folders.has(folder); folder = path.posix.dirname(folder)) {
      folders.add(folder);
    }
  }
  return [...folders].sort((a, b) => a.split("/").length - b.split("/").length);
}

/** The umask decides about what is made, not about what is changed afterwards. */
async function mkdirOpen(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o755);
}

async function copyOpen(from: string, to: string): Promise<void> {
  await copyFile(from, to);
  await chmod(to, 0o644);
  await utimes(to, FAR_FUTURE_SECONDS, FAR_FUTURE_SECONDS);
}
