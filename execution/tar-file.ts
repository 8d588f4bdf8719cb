import { createReadStream } from "node:fs";
import { buffer } from "node:stream/consumers";
import { extract, pack } from "tar-stream";
import { KilnError } from "../errors.ts";

export interface TarEntry {
  readonly name: string;
  /** Undefined for a folder. */
  readonly content: Buffer | undefined;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** A tar of files and folders with given owners and modes, and a fixed date. */
export async function tarOf(entries: readonly TarEntry[]): Promise<Buffer> {
  const tar = pack();
  for (const { content, ...header } of entries) {
    if (content === undefined) tar.entry({ ...header, type: "directory", mtime: new Date(0) });
    else tar.entry({ ...header, mtime: new Date(0) }, content);
  }
  tar.finalize();
  return buffer(tar);
}

/**
 * The content of the one regular file in a tar file. A link is refused: it would lead to a file of this machine. So is
 * what is larger than `limit` bytes.
 */
export async function readTarredFile(tarFile: string, limit: number): Promise<Buffer> {
  let content: Buffer | undefined;
  for await (const entry of createReadStream(tarFile).pipe(extract())) {
    const { name, type, size } = entry.header;
    if (type !== "file") throw new KilnError("failed", `${name} is no regular file but a ${type}`);
    if (size > limit) throw new KilnError("failed", `${name} has ${size} bytes, more than the ${limit} that are read`);
    content = await buffer(entry);
  }
  if (content === undefined) throw new KilnError("failed", "the tar of a file is empty");
  return content;
}
