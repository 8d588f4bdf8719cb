import { linkSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, it, vi } from "vitest";
import { linkFiles } from "../../../cache/store.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

vi.mock(import("node:fs"), async (original) => {
  const actual = await original();
  return { ...actual, linkSync: vi.fn(actual.linkSync) };
});

/** What linking the next file ends with. */
function refuse(code: string): void {
  vi.mocked(linkSync).mockImplementationOnce(() => {
    throw Object.assign(new Error(`${code}: refused, link`), { code });
  });
}

it.each([
  ["EXDEV", "another file system"],
  ["EPERM", "a volume with files of another user"],
])("files that cannot be linked (%s: %s) are copied", async (code) => {
  const home = await temporaryDirectory();
  await mkdir(path.join(home, "from/a"), { recursive: true });
  await writeFile(path.join(home, "from/a/b"), "content");
  refuse(code);
  await linkFiles(path.join(home, "from"), path.join(home, "to"), ["a/b"]);
  expect(await readFile(path.join(home, "to/a/b"), "utf8")).toBe("content");
});

it("any other refusal is said", async () => {
  const home = await temporaryDirectory();
  await writeFile(path.join(home, "b"), "content");
  refuse("EIO");
  await expect(linkFiles(home, path.join(home, "to"), ["b"])).rejects.toThrow("EIO");
});
