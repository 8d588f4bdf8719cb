import fc from "fast-check";
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { StoredGzip } from "../../../cache/gzip-member.ts";

async function stored(chunks: readonly Buffer[]): Promise<Buffer> {
  const out: Buffer[] = [];
  const sink = new PassThrough().on("data", (chunk: Buffer) => out.push(chunk));
  await pipeline(chunks, new StoredGzip(), sink);
  return Buffer.concat(out);
}

describe("StoredGzip", () => {
  const chunk = fc.oneof(
    fc.uint8Array({ maxLength: 50 }),
    fc.constantFrom(65_534, 65_535, 65_536, 131_070, 200_000).map((size) => new Uint8Array(size).fill(size % 251)),
  );
  const chunks = fc.array(
    chunk.map((bytes) => Buffer.from(bytes)),
    { maxLength: 4 },
  );

  it("is what every reader of gzip gives back, alone and among other members", async () => {
    await fc.assert(
      fc.asyncProperty(chunks, async (parts) => {
        const [content, member] = [Buffer.concat(parts), await stored(parts)];
        expect(gunzipSync(member).equals(content)).toBe(true);
        const between = Buffer.concat([gzipSync("before "), member, gzipSync(" after")]);
        expect(
          gunzipSync(between).equals(Buffer.concat([Buffer.from("before "), content, Buffer.from(" after")])),
        ).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it("is the same however the bytes arrive", async () => {
    await fc.assert(
      fc.asyncProperty(chunks, async (parts) => {
        expect((await stored(parts)).equals(await stored([Buffer.concat(parts)]))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it("adds five bytes to each block of 65,535, and eighteen to all", async () => {
    expect((await stored([Buffer.alloc(65_535 * 3)])).length).toBe((65_535 + 5) * 3 + 18);
  });
});
