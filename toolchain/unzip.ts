import { mkdir, open, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { inflateRaw, inflateRawSync } from "node:zlib";
import { KilnError } from "../errors.ts";

const inflate = promisify(inflateRaw);

// Offsets and marks of the zip format (APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.14 to 4.3.16).
const END_MARK = 0x06054b50;
const END_BYTES = 22;
const LARGE_END_BYTES = 56;
const LOCATOR_MARK = 0x07064b50;
const LOCATOR_BYTES = 20;
const ENTRY_MARK = 0x02014b50;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const STORED = 0;
const DEFLATED = 8;

/** Below it unpacking takes less time than handing it over to a thread: databases are archives of many thousand small files. */
const SMALL_BYTES = 100_000;

/** The bytes of an archive, wherever they are. */
interface Archive {
  readonly name: string;
  readonly size: number;
  readonly readAt: (position: number, bytes: number) => Promise<Buffer>;
}

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
    const { size } = await file.stat();
    const readAt = async (position: number, bytes: number) => {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, position);
      return buffer.subarray(0, bytesRead);
    };
    const source: Archive = { name: archive, size, readAt };
    for (const entry of await readEntries(source)) {
      if (!entry.name.startsWith(options.prefix) || entry.name.endsWith("/")) continue;
      const name = entry.name.slice(options.prefix.length);
      const to = path.join(target, name);
      if (!to.startsWith(target + path.sep)) throw broken(archive, `an entry leads outside: ${entry.name}`);
      await mkdir(path.dirname(to), { recursive: true });
      await writeFile(to, await readEntry(source, entry), { mode: options.modeOf(name) });
    }
  } finally {
    await file.close();
  }
}

/** What the files of a zip archive hold, one after the other; the archive itself is read as a whole. */
export async function* readZip(archive: string): AsyncGenerator<Buffer> {
  const bytes = await readFile(archive);
  const readAt = (from: number, count: number) => Promise.resolve(bytes.subarray(from, from + count));
  const source: Archive = { name: archive, size: bytes.length, readAt };
  for (const entry of await readEntries(source)) {
    if (!entry.name.endsWith("/")) yield await readEntry(source, entry);
  }
}

async function readEntries(archive: Archive): Promise<readonly Entry[]> {
  const { count, size, offset } = await readEnd(archive);
  const directory = await archive.readAt(offset, size);
  const entries: Entry[] = [];
  for (let from = 0; entries.length < count;) {
    if (directory.length < from + ENTRY_BYTES || directory.readUInt32LE(from) !== ENTRY_MARK) {
      throw broken(archive.name, "its directory is damaged");
    }
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

/** Where an archive's directory stands, and how many entries it has: in the larger form where there are more than 65535. */
async function readEnd(
  archive: Archive,
): Promise<{ readonly count: number; readonly size: number; readonly offset: number }> {
  const { size, readAt } = archive;
  const first = Math.max(0, size - END_BYTES - 0xffff);
  const tail = await readAt(first, size - first);
  let at = tail.length - END_BYTES;
  while (at >= 0 && tail.readUInt32LE(at) !== END_MARK) at--;
  if (at < 0) throw broken(archive.name, "it has no directory");
  const before = first + at - LOCATOR_BYTES;
  const locator = before < 0 ? Buffer.alloc(0) : await readAt(before, LOCATOR_BYTES);
  if (locator.length < LOCATOR_BYTES || locator.readUInt32LE(0) !== LOCATOR_MARK) {
    return { count: tail.readUInt16LE(at + 10), size: tail.readUInt32LE(at + 12), offset: tail.readUInt32LE(at + 16) };
  }
  const end = await readAt(Number(locator.readBigUInt64LE(8)), LARGE_END_BYTES);
  if (end.length < LARGE_END_BYTES) throw broken(archive.name, "its directory is damaged");
  const [count = 0, bytes = 0, offset = 0] = [32, 40, 48].map((from) => Number(end.readBigUInt64LE(from)));
  return { count, size: bytes, offset };
}

async function readEntry({ name, readAt }: Archive, entry: Entry): Promise<Buffer> {
  const local = await readAt(entry.offset, LOCAL_BYTES);
  if (local.length < LOCAL_BYTES) throw broken(name, `${entry.name} is cut off`);
  const start = entry.offset + LOCAL_BYTES + local.readUInt16LE(26) + local.readUInt16LE(28);
  const packed = await readAt(start, entry.packedBytes);
  if (entry.method === STORED) return packed;
  if (entry.method === DEFLATED) return packed.length < SMALL_BYTES ? inflateRawSync(packed) : inflate(packed);
  throw broken(name, `${entry.name} is packed by method ${entry.method}`);
}

function broken(archive: string, why: string): KilnError {
  return new KilnError("failed", `${archive} cannot be unpacked: ${why}`);
}
