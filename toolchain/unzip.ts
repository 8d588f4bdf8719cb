import { mkdir, open, writeFile, type FileHandle } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { inflateRaw } from "node:zlib";
import { KilnError } from "../errors.ts";

const inflate = promisify(inflateRaw);

// Offsets and marks of the zip format (APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16).
const END_MARK = 0x06054b50;
const END_BYTES = 22;
const ENTRY_MARK = 0x02014b50;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const STORED = 0;
const DEFLATED = 8;

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly packedBytes: number;
  readonly offset: number;
}

/**
 * Unpacks the files of a zip archive whose names begin with `prefix` to a directory, without that prefix. Files get the
 * mode that `modeOf` says for their names: Go's module archives carry none.
 */
export async function unzip(
  archive: string,
  target: string,
  options: { readonly prefix: string; readonly modeOf: (name: string) => number },
): Promise<void> {
  const file = await open(archive);
  try {
    for (const entry of await readEntries(file, archive)) {
      if (!entry.name.startsWith(options.prefix) || entry.name.endsWith("/")) continue;
      const name = entry.name.slice(options.prefix.length);
      const to = path.join(target, name);
      if (!to.startsWith(target + path.sep)) throw broken(archive, `an entry leads outside: ${entry.name}`);
      await mkdir(path.dirname(to), { recursive: true });
      await writeFile(to, await readEntry(file, entry, archive), { mode: options.modeOf(name) });
    }
  } finally {
    await file.close();
  }
}

async function readEntries(file: FileHandle, archive: string): Promise<readonly Entry[]> {
  const { size } = await file.stat();
  const tail = await readAt(file, Math.max(0, size - END_BYTES - 0xffff), Math.min(size, END_BYTES + 0xffff));
  let at = tail.length - END_BYTES;
  while (at >= 0 && tail.readUInt32LE(at) !== END_MARK) at--;
  if (at < 0) throw broken(archive, "it has no directory");
  const count = tail.readUInt16LE(at + 10);
  const directory = await readAt(file, tail.readUInt32LE(at + 16), tail.readUInt32LE(at + 12));
  const entries: Entry[] = [];
  for (let from = 0; entries.length < count;) {
    if (directory.readUInt32LE(from) !== ENTRY_MARK) throw broken(archive, "its directory is damaged");
    const nameBytes = directory.readUInt16LE(from + 28);
    entries.push({
      name: directory.toString("utf8", from + ENTRY_BYTES, from + ENTRY_BYTES + nameBytes),
      method: directory.readUInt16LE(from + 10),
      packedBytes: directory.readUInt32LE(from + 20),
      offset: directory.readUInt32LE(from + 42),
    });
    from += ENTRY_BYTES + nameBytes + directory.readUInt16LE(from + 30) + directory.readUInt16LE(from + 32);
  }
  return entries;
}

async function readEntry(file: FileHandle, entry: Entry, archive: string): Promise<Buffer> {
  const local = await readAt(file, entry.offset, LOCAL_BYTES);
  const start = entry.offset + LOCAL_BYTES + local.readUInt16LE(26) + local.readUInt16LE(28);
  const packed = await readAt(file, start, entry.packedBytes);
  if (entry.method === STORED) return packed;
  if (entry.method === DEFLATED) return inflate(packed);
  throw broken(archive, `${entry.name} is packed by method ${entry.method}`);
}

async function readAt(file: FileHandle, position: number, bytes: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, position);
  return buffer.subarray(0, bytesRead);
}

function broken(archive: string, why: string): KilnError {
  return new KilnError("failed", `${archive} cannot be unpacked: ${why}`);
}
