import { writeFile } from "node:fs/promises";
import path from "node:path";
import { deflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { readZip } from "../../../toolchain/unzip.ts";
import { storedZip } from "../../support/stored-zip.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

async function textsOf(zip: Buffer): Promise<readonly string[]> {
  const file = path.join(await temporaryDirectory(), "a.zip");
  await writeFile(file, zip);
  const texts: string[] = [];
  for await (const content of readZip(file)) texts.push(content.toString());
  return texts;
}

const MARK = { end: "PK\u0005\u0006", largeEnd: "PK\u0006\u0006", locator: "PK\u0006\u0007", entry: "PK\u0001\u0002" };

/** The same archive with its directory's place and number of entries in the form for more than 65535 of them. */
function enlarged(zip: Buffer): Buffer {
  const at = zip.indexOf(MARK.end);
  const end = Buffer.from(zip.subarray(at));
  const large = Buffer.alloc(56);
  large.write(MARK.largeEnd, "latin1");
  large.writeBigUInt64LE(44n, 4);
  for (const to of [24, 32]) large.writeBigUInt64LE(BigInt(end.readUInt16LE(10)), to);
  large.writeBigUInt64LE(BigInt(end.readUInt32LE(12)), 40);
  large.writeBigUInt64LE(BigInt(end.readUInt32LE(16)), 48);
  const locator = Buffer.alloc(20);
  locator.write(MARK.locator, "latin1");
  locator.writeBigUInt64LE(BigInt(at), 8);
  end.fill(0xff, 8, 20);
  return Buffer.concat([zip.subarray(0, at), large, locator, end]);
}

/** The same archive of one file, packed. */
function deflated(zip: Buffer, text: string): Buffer {
  const packed = deflateRawSync(text);
  const at = zip.indexOf(MARK.entry);
  const [local, rest] = [Buffer.from(zip.subarray(0, at - text.length)), Buffer.from(zip.subarray(at))];
  rest.writeUInt16LE(8, 10);
  rest.writeUInt32LE(packed.length, 20);
  const end = rest.indexOf(MARK.end);
  rest.writeUInt32LE(local.length + packed.length, end + 16);
  return Buffer.concat([local, packed, rest]);
}

describe("readZip", () => {
  it("gives what each file holds, stored or packed, and nothing of folders", async () => {
    expect(await textsOf(storedZip({ "a.json": "one", "folder/": "", "folder/b.json": "two" }))).toEqual([
      "one",
      "two",
    ]);
    expect(await textsOf(deflated(storedZip({ a: "aaaaaaaa" }), "aaaaaaaa"))).toEqual(["aaaaaaaa"]);
    expect(await textsOf(storedZip({}))).toEqual([]);
  });

  it("reads the larger form of the directory, which an archive of more than 65535 files has", async () => {
    expect(await textsOf(enlarged(storedZip({ a: "one", b: "two" })))).toEqual(["one", "two"]);
  });

  it.each<[string, (zip: Buffer) => Buffer, string]>([
    ["that ends too early", (zip) => zip.subarray(0, 30), "it has no directory"],
    ["whose directory is not where it should be", (zip) => zip.subarray(7), "its directory is damaged"],
    [
      "whose large directory is cut off",
      (zip) => enlarged(zip).fill(0xff, zip.length + 42, zip.length + 46),
      "damaged",
    ],
  ])("refuses an archive %s", async (_, change, reason) => {
    await expect(textsOf(change(storedZip({ "a.json": "one" })))).rejects.toMatchObject({
      kind: "failed",
      message: expect.stringContaining(reason) as string,
    });
  });
});
