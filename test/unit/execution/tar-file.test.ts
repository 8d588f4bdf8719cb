import { writeFile } from "node:fs/promises";
import path from "node:path";
import { buffer } from "node:stream/consumers";
import { Readable } from "node:stream";
import { extract, pack, type Header } from "tar-stream";
import { expect, it } from "vitest";
import { readTarredFile, tarOf } from "../../../execution/tar-file.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

async function tarred(entries: readonly (readonly [Partial<Header> & { name: string }, string])[]): Promise<string> {
  const tar = pack();
  for (const [header, content] of entries) tar.entry(header, content);
  tar.finalize();
  const file = path.join(await temporaryDirectory(), "a.tar");
  await writeFile(file, await buffer(tar));
  return file;
}

it("a tar has the owner and mode that are asked for, and equal bytes each time", async () => {
  const entry = { name: "input.json", content: Buffer.from("{}"), mode: 0o600, uid: 65532, gid: 65532 };
  const headers: Header[] = [];
  for await (const { header } of Readable.from([await tarOf([entry])]).pipe(extract())) headers.push(header);
  expect(headers).toMatchObject([{ name: "input.json", mode: 0o600, uid: 65532, gid: 65532, size: 2 }]);
  expect(await tarOf([entry])).toEqual(await tarOf([entry]));
});

it("the file of a tar is read as it is", async () => {
  const file = await tarred([[{ name: "output.json" }, '{"ü":"€😀"}']]);
  expect((await readTarredFile(file, 100)).toString("utf8")).toBe('{"ü":"€😀"}');
});

it.each([
  [
    "a link to a file of this machine",
    [[{ name: "output.json", type: "symlink", linkname: "/etc/passwd" }, ""]],
    "is no regular file but a symlink",
  ],
  [
    "a hard link",
    [[{ name: "output.json", type: "link", linkname: "/etc/passwd" }, ""]],
    "is no regular file but a link",
  ],
  ["a folder", [[{ name: "output.json", type: "directory" }, ""]], "is no regular file but a directory"],
  ["what is too large", [[{ name: "output.json" }, "x".repeat(101)]], "has 101 bytes, more than the 100 that are read"],
  ["nothing", [], "is empty"],
] as const)("%s is refused", async (_, entries, message) => {
  await expect(tarred(entries).then((file) => readTarredFile(file, 100))).rejects.toThrow(message);
});
