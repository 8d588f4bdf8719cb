import { createReadStream } from "node:fs";
import path from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { pack, type Pack } from "tar-stream";
import { KilnError, messageOf } from "../../errors.ts";
import { foldersAbove, OWNED, putEntry, type ArchiveEntry } from "../../toolchain/archive-entry.ts";
import type { ContextEntry } from "./context.ts";

export interface ContextArchive {
  /** Where the module stands. */
  readonly directory: string;
  readonly entries: readonly ContextEntry[];
  /** Files that a build adds, by path. */
  readonly added: Readonly<Record<string, string>>;
}

/**
 * A module as a tar archive that is read while it is sent: nothing is copied and no file is held in memory. Owners, times
 * and modes are the same everywhere, so the same module gives the same bytes. The stream fails where a file changes under it.
 */
export function contextArchive(archive: ContextArchive): Readable {
  const stream = pack();
  write(stream, archive).then(
    () => {
      stream.finalize();
    },
    (error: unknown) => {
      stream.destroy(error instanceof Error ? error : new Error(messageOf(error)));
    },
  );
  return Readable.from(stream);
}

async function write(stream: Pack, { directory, entries, added }: ContextArchive): Promise<void> {
  const paths = [...Object.keys(added), ...entries.map((entry) => entry.path)];
  for (const folder of foldersAbove(paths))
    await putEntry(stream, { ...OWNED, name: `${folder}/`, type: "directory", mode: 0o755 });
  for (const [name, text] of Object.entries(added).sort(([a], [b]) => (a < b ? -1 : 1))) {
    await putEntry(stream, { ...OWNED, name, mode: 0o644 }, text);
  }
  for (const entry of entries) {
    if (entry.kind === "link") {
      await putEntry(stream, { ...OWNED, name: entry.path, type: "symlink", linkname: entry.target, mode: 0o777 });
      continue;
    }
    const header = { ...OWNED, name: entry.path, size: entry.size, mode: entry.executable ? 0o755 : 0o644 };
    await send(stream, header, path.join(directory, entry.path));
  }
}

async function send(stream: Pack, header: ArchiveEntry & { readonly size: number }, file: string): Promise<void> {
  // One byte more than is expected shows a file that grew, without reading on for ever.
  const content = createReadStream(file, { start: 0, end: header.size });
  let bytes = 0;
  const counted = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes > header.size) throw changed(file);
      yield chunk;
    }
    if (bytes < header.size) throw changed(file);
  };
  await pipeline(content, counted, stream.entry(header));
}

function changed(file: string): KilnError {
  return new KilnError("failed", `${file} changed while it was read`, {
    mend: "Run the command again when nothing writes there.",
  });
}
