import { readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { gunzipSync } from "node:zlib";
import { extract, type Header } from "tar-stream";

/** The headers of all entries of a layer's archive, in order. */
export async function entriesIn(file: string): Promise<readonly Header[]> {
  return (await contentsOf(file)).map(({ header }) => header);
}

/** All entries of a layer's archive, in order, with what they hold. */
export async function contentsOf(file: string): Promise<readonly { readonly header: Header; readonly text: string }[]> {
  const entries: { header: Header; text: string }[] = [];
  for await (const entry of Readable.from([gunzipSync(await readFile(file))]).pipe(extract())) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    entries.push({ header: entry.header, text: Buffer.concat(chunks).toString() });
  }
  return entries;
}
