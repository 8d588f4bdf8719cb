import path from "node:path";
import type { Header, Pack } from "tar-stream";

/** What an archive says of an entry; the rest is worked out from it. */
export type ArchiveEntry = Partial<Header> & Pick<Header, "name">;

/** Owner and date of every entry, so that the same files are the same bytes: a day that zip archives can say too. */
export const OWNED = { mtime: new Date("1980-01-01T00:00:00Z"), uid: 0, gid: 0, uname: "", gname: "" } as const;

/** Writes an entry with this content, and resolves when the archive took it. */
export function putEntry(stream: Pack, header: ArchiveEntry, text = ""): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.entry(header, text, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

/** Every folder above the files, each before what it holds. Paths are relative, as in an archive. */
export function foldersAbove(files: readonly string[]): readonly string[] {
  const folders = new Set<string>();
  for (const file of files) {
    for (let folder = path.posix.dirname(file); folder !== "."; folder = path.posix.dirname(folder))
      folders.add(folder);
  }
  return [...folders].sort();
}
