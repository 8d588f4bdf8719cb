import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { pack } from "tar-stream";
import { expect, it } from "vitest";
import { unpackedImage, wordsIn } from "../../support/word-search.ts";

async function tarOf(files: Readonly<Record<string, Buffer | string>>): Promise<Buffer> {
  const archive = pack();
  for (const [name, content] of Object.entries(files)) archive.entry({ name }, content);
  archive.finalize();
  return buffer(archive);
}

const NOISE = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 7919) % 251));

it.each([
  ["plain", (layer: Buffer) => layer],
  ["gzip", gzipSync],
  ["zstd", zstdCompressSync],
])("finds a word in a layer that is %s, and only what is there", async (_, compress) => {
  const layer = await tarOf({ "app/a.bin": Buffer.concat([NOISE, Buffer.from("known-word"), NOISE]) });
  const image = await tarOf({ "manifest.json": "[]", "blobs/sha256/empty": "", "blobs/sha256/layer": compress(layer) });
  const words = ["known-word", "other-word", "app/a.bin", "blobs/sha256/layer", ""];
  expect([...(await wordsIn(words, unpackedImage(Readable.from([image]))))]).toEqual([
    "known-word",
    "app/a.bin",
    "blobs/sha256/layer",
  ]);
});

it("takes words as they are, bytes that are no text, and a word within another", async () => {
  const source = () => Readable.from([Buffer.from([0xff, 0xfe]), Buffer.from('a.b* "kä" -x\n'), Buffer.from("abcd")]);
  const words = ["a.b*", "axb*", '"kä"', "-x", "abcd", "bc"];
  expect([...(await wordsIn(words, source()))]).toEqual(["a.b*", '"kä"', "-x", "abcd", "bc"]);
  expect([...(await wordsIn(["none"], source()))]).toEqual([]);
});

it("an image that breaks off is an error, not one without the word", async () => {
  const image = await tarOf({ layer: gzipSync(NOISE).subarray(0, 1_000) });
  await expect(wordsIn(["x"], unpackedImage(Readable.from([image])))).rejects.toThrow();
});
