import { writeFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { readPluginArchive, type PluginEntry, type PluginLimits } from "../../../../cache/plugins/archive.ts";
import { pluginArchive, type ArchiveContent } from "../../../support/plugin-server.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";

async function entriesOf(content: ArchiveContent | Buffer, limits?: PluginLimits): Promise<readonly PluginEntry[]> {
  const file = path.join(await temporaryDirectory(), "plugin.tar.gz");
  await writeFile(file, Buffer.isBuffer(content) ? content : await pluginArchive(content));
  const entries: PluginEntry[] = [];
  await readPluginArchive(file, (entry) => Promise.resolve(void entries.push(entry)), limits);
  return entries;
}

const BINARY = { "pulumi-resource-aws": "#!/bin/sh\n" };

describe("readPluginArchive", () => {
  it("gives files and links in plain form, and no folders", async () => {
    const link: Partial<import("tar-stream").Header> = { type: "symlink", linkname: "../LICENSE" };
    const content = { "./": { type: "directory" }, "./LICENSE": "free", "./docs/LICENSE": link, ...BINARY } as const;
    expect(await entriesOf(content)).toEqual([
      { name: "LICENSE", bytes: 4, executable: false },
      { name: "docs/LICENSE", bytes: 0, executable: false, link: "../LICENSE" },
      { name: "pulumi-resource-aws", bytes: 10, executable: true },
    ]);
  });

  it.each<[string, ArchiveContent, string]>([
    ["a name above the root", { "../evil": "x" }, 'an entry leads outside: "../evil"'],
    ["a name that climbs later", { "a/../../evil": "x" }, "leads outside"],
    ["an absolute name", { "/etc/evil": "x" }, 'an entry leads outside: "/etc/evil"'],
    ["a folder outside", { "../": { type: "directory" } }, "leads outside"],
    ["a backslash", { "a\\..\\..\\evil": "x" }, "leads outside"],
    ["a link out", { a: { type: "symlink", linkname: "../../etc" } }, "leads outside"],
    ["an absolute link", { a: { type: "symlink", linkname: "/etc" } }, 'the link a points to "/etc"'],
    ["a hard link", { a: { type: "link", linkname: "b" } }, "a is a link"],
    ["a device", { a: { type: "character-device" } }, "a is a character-device"],
    [
      "a file below a link",
      { a: { type: "symlink", linkname: "b" }, "a/b": "x" },
      "a/b is below a, which is no folder",
    ],
    ["a link in place of a folder", { "a/b": "x", a: { type: "symlink", linkname: "c" } }, "a is in it twice"],
    ["one name twice", { a: "x", "./a": "y" }, "a is in it twice"],
  ])("refuses %s", async (_, content, message) => {
    await expect(entriesOf({ ...BINARY, ...content })).rejects.toMatchObject({
      kind: "failed",
      message: expect.stringContaining(message) as string,
    });
  });

  it("refuses what is too large to be a plugin before it has read it all", async () => {
    const content = { a: "12345", b: "12345" };
    await expect(entriesOf(content, { bytes: 9, entries: 9 })).rejects.toThrow("it unpacks to more than 9 bytes");
    await expect(entriesOf(content, { bytes: 99, entries: 1 })).rejects.toThrow("it has more than 1 files");
  });

  it.each([
    ["no gzip", Buffer.from("<html>blocked by the proxy</html>")],
    ["no tar", gzipSync("x".repeat(2000))],
    ["half of one", gzipSync(Buffer.alloc(100_000, "y")).subarray(0, 60)],
  ])("names the archive that is %s", async (_, content) => {
    await expect(entriesOf(content)).rejects.toThrow("plugin.tar.gz cannot be unpacked");
  });

  it("notices an archive that ends within a file", async () => {
    const whole = await pluginArchive({ a: "x".repeat(5000), ...BINARY });
    const { gunzipSync } = await import("node:zlib");
    await expect(entriesOf(gzipSync(gunzipSync(whole).subarray(0, 3000)))).rejects.toThrow("cannot be unpacked");
  });
});
