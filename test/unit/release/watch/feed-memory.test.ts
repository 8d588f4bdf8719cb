import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, it } from "vitest";
import { folderMemory } from "../../../../release/watch/feed-memory.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";

const ADDRESS = "https://registry.npmjs.org/tool";
const KEPT = { etag: '"x"', document: [{ name: "1.0.0" }] };

async function memory() {
  const folder = await temporaryDirectory();
  const kept = folderMemory(folder);
  await kept.write(ADDRESS, KEPT);
  const [name = ""] = await readdir(folder);
  return { kept, file: path.join(folder, name) };
}

it("keeps a document by its address", async () => {
  const { kept } = await memory();
  expect(await kept.read(ADDRESS)).toEqual(KEPT);
  expect(await kept.read(`${ADDRESS}/other`)).toBeUndefined();
});

it.each<[string, (text: string) => string]>([
  ["cut off", (text) => text.slice(0, -5)],
  ["empty", () => ""],
  ["JSON of something else", () => '{"address":"https://registry.npmjs.org/tool","etag":"\\"x\\"","document":5}'],
  ["no map", () => "null"],
  ["changed in its document", (text) => text.replace("1.0.0", "9.0.0")],
  ["changed in its ETag", (text) => text.replace("x", "y")],
])("has nothing in a file that is %s, and writes it anew", async (_, damaged) => {
  const { kept, file } = await memory();
  const before = await readFile(file, "utf8");
  expect(damaged(before)).not.toBe(before);
  await writeFile(file, damaged(before));
  expect(await kept.read(ADDRESS)).toBeUndefined();
  await kept.write(ADDRESS, KEPT);
  expect(await kept.read(ADDRESS)).toEqual(KEPT);
});

it("does without a folder that cannot be written", async () => {
  const kept = folderMemory("/dev/null/kiln");
  await kept.write(ADDRESS, KEPT);
  expect(await kept.read(ADDRESS)).toBeUndefined();
});
