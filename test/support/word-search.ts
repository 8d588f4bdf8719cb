import { spawn } from "node:child_process";
import { once } from "node:events";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { text } from "node:stream/consumers";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { extract } from "tar-stream";

/** Which of `words` stand in a stream of any bytes. A word has no line end. */
export async function wordsIn(words: Iterable<string>, source: Readable): Promise<ReadonlySet<string>> {
  const patterns = [...words].filter((word) => word !== "").flatMap((word) => ["--regexp", word]);
  const grep = spawn("grep", ["--text", "--only-matching", "--fixed-strings", ...patterns], {
    // As bytes: what is no UTF-8 ends no search.
    env: { ...process.env, LC_ALL: "C" },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const closed = once(grep, "close");
  const [found] = await Promise.all([text(grep.stdout), pipeline(source, grep.stdin)]);
  const [code] = (await closed) as [number];
  if (code > 1) throw new Error(`grep ended with ${code}`);
  // Where one word is in another, the longer one is what is printed.
  return new Set([...words].filter((word) => word !== "" && found.includes(word)));
}

/** All that an image archive has, as one stream: names and contents of its files, layers as they are when unpacked. */
export function unpackedImage(archive: Readable): Readable {
  return Readable.from(contents(archive));
}

async function* contents(archive: Readable): AsyncGenerator<Buffer> {
  for await (const entry of archive.pipe(extract())) {
    yield Buffer.from(`\n${entry.header.name}\n`);
    yield* unpacked(entry as AsyncIterable<Buffer>);
  }
}

const GZIP = Buffer.from([0x1f, 0x8b]);
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

async function* unpacked(entry: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const chunks = entry[Symbol.asyncIterator]();
  const first = await chunks.next();
  if (first.done === true) return;
  const whole = Readable.from(resumed(first.value, chunks));
  const compressed = first.value.subarray(0, 4);
  if (compressed.subarray(0, 2).equals(GZIP)) yield* decompressed(whole, createGunzip());
  else if (compressed.equals(ZSTD)) yield* decompressed(whole, createZstdDecompress());
  else yield* whole as AsyncIterable<Buffer>;
}

async function* resumed(first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

async function* decompressed(source: Readable, through: NodeJS.ReadWriteStream): AsyncGenerator<Buffer> {
  const fed = pipeline(source, through, { end: true });
  yield* through as unknown as AsyncIterable<Buffer>;
  await fed;
}
