import { createReadStream } from "node:fs";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { extract, type Header } from "tar-stream";
import { KilnError, messageOf } from "../../errors.ts";
import { throwIfInterrupted } from "../../toolchain/process.ts";

/** A file or link of a plugin's archive; its name is relative, in plain form, and leads nowhere outside. */
export interface PluginEntry {
  readonly name: string;
  readonly bytes: number;
  readonly executable: boolean;
  /** What it points to, where it is a symbolic link. */
  readonly link?: string;
}

export interface PluginLimits {
  /** Bytes of all files, unpacked. The largest plugins have about 1 GB. */
  readonly bytes: number;
  readonly entries: number;
}

const LIMITS: PluginLimits = { bytes: 4 * 1024 ** 3, entries: 100_000 };

/**
 * Reads a plugin's gzipped tar archive in its own order. `visit` may read an entry's content. Throws a KilnError for
 * what Pulumi would refuse to unpack (a name or link that leads out, a device), and for what is too large to be a
 * plugin.
 */
export async function readPluginArchive(
  file: string,
  visit: (entry: PluginEntry, content: AsyncIterable<unknown>) => Promise<void>,
  limits: PluginLimits = LIMITS,
): Promise<void> {
  const archive = extract();
  const seen: Seen = { files: new Set(), folders: new Set() };
  let bytes = 0;
  const reading = pipeline(createReadStream(file), createGunzip(), archive);
  // Awaited below; until then a failure must not count as nobody's.
  reading.catch(() => undefined);
  try {
    for await (const content of archive) {
      throwIfInterrupted();
      const entry = entryOf(content.header, seen);
      if (entry === undefined) {
        content.resume();
        continue;
      }
      bytes += entry.bytes;
      if (bytes > limits.bytes) throw new Error(`it unpacks to more than ${limits.bytes} bytes`);
      if (seen.files.size > limits.entries) throw new Error(`it has more than ${limits.entries} files`);
      await visit(entry, content);
      content.resume();
    }
    await reading;
  } catch (error) {
    archive.destroy();
    await reading.catch(() => undefined);
    if (error instanceof KilnError) throw error;
    throw new KilnError("failed", `${path.basename(file)} cannot be unpacked: ${messageOf(error)}`, {
      mend: "It is no plugin that kiln bakes: report it to whoever publishes it, or set kiln:image.plugins to volume.",
      cause: error,
    });
  }
}

/** Names so far: a file may be neither there twice, nor be a folder of another, nor lie below one. */
interface Seen {
  readonly files: Set<string>;
  readonly folders: Set<string>;
}

/** The checked entry of a header; undefined for a folder, which files bring with them. */
function entryOf(header: Header, seen: Seen): PluginEntry | undefined {
  const name = inside(header.name);
  if (header.type === "directory") return undefined;
  if (name === "") throw new Error(`an entry has no name: ${JSON.stringify(header.name)}`);
  for (let above = path.posix.dirname(name); above !== "."; above = path.posix.dirname(above)) {
    if (seen.files.has(above)) throw new Error(`${name} is below ${above}, which is no folder`);
    seen.folders.add(above);
  }
  if (seen.files.has(name) || seen.folders.has(name)) throw new Error(`${name} is in it twice`);
  seen.files.add(name);
  if (header.type === "file") return { name, bytes: header.size, executable: (header.mode & 0o111) !== 0 };
  if (header.type !== "symlink") throw new Error(`${name} is a ${header.type}`);
  const link = header.linkname;
  if (link === "" || link.startsWith("/")) throw new Error(`the link ${name} points to ${JSON.stringify(link)}`);
  inside(path.posix.join(path.posix.dirname(name), link));
  return { name, bytes: 0, executable: false, link };
}

/** A name in plain form. Throws where it is absolute or leads above its root. */
function inside(name: string): string {
  const plain = path.posix.normalize(name).replace(/\/$/, "");
  if (plain.startsWith("/") || plain === ".." || plain.startsWith("../") || /[\0\\]/.test(plain)) {
    throw new Error(`an entry leads outside: ${JSON.stringify(name)}`);
  }
  return plain === "." ? "" : plain;
}
