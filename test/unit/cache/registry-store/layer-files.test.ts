import { buffer } from "node:stream/consumers";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { pack, type Header } from "tar-stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cacheFileOf, readCacheFiles } from "../../../../cache/registry-store/layer-files.ts";
import { OCI } from "../../../../registry/client.ts";
import { entriesOf } from "../cache-directory.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "kiln-layer-files-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Entry = Partial<Header> & { readonly name: string; readonly text?: string };

async function tar(entries: readonly Entry[]): Promise<Buffer> {
  const archive = pack();
  for (const { text = "", ...header } of entries) archive.entry(header, text);
  archive.finalize();
  return buffer(archive);
}

async function read(bytes: Buffer, mediaType: string = OCI.layer, limits?: Parameters<typeof readCacheFiles>[3]) {
  const file = path.join(folder, "layer");
  await writeFile(file, bytes);
  const found: Record<string, string> = {};
  await readCacheFiles(
    file,
    mediaType,
    async (entry, content) => {
      const parts: Buffer[] = [];
      for await (const chunk of content) parts.push(chunk);
      found[entry.part === "pack" ? "pack" : `${entry.part}/${entry.name}`] = Buffer.concat(parts).toString();
    },
    limits,
  );
  return found;
}

const { output } = entriesOf("fmt");
const GOOD: readonly Entry[] = [
  { name: "var/cache/go-build/", type: "directory" },
  { name: `var/cache/go-build/${output}`, text: "archive" },
  { name: "var/cache/go-mod/example.com/a@v1.0.0/a.go", text: "package a" },
  { name: `usr/local/lib/kiln/packs/objects/${"0a".repeat(32)}`, text: "linked" },
  { name: "usr/local/lib/kiln/packs/aws.pack", text: "packed" },
  { name: "usr/local/bin/aws-vpc", type: "symlink", linkname: "/usr/local/lib/kiln/programs/aws" },
  { name: "usr/local/share/kiln/inputs/aws.json", text: "{}" },
];
const FOUND = {
  [`go-build/${output}`]: "archive",
  "go-mod/example.com/a@v1.0.0/a.go": "package a",
  [`object/${"0a".repeat(32)}`]: "linked",
  pack: "packed",
};

describe("readCacheFiles", () => {
  it("reads what belongs to the caches, however it is compressed", async () => {
    const archive = await tar(GOOD);
    expect(await read(gzipSync(archive))).toEqual(FOUND);
    expect(await read(zstdCompressSync(archive), "application/vnd.oci.image.layer.v1.tar+zstd")).toEqual(FOUND);
    expect(await read(archive, OCI.plainLayer)).toEqual(FOUND);
  });

  it("reads layers of several gzip members, as packed ones are", async () => {
    const archive = await tar(GOOD);
    const members = [gzipSync(archive.subarray(0, 1536)), gzipSync(archive.subarray(1536), { level: 0 })];
    expect(await read(Buffer.concat(members))).toEqual(FOUND);
  });

  it.each([
    [{ name: "var/cache/go-mod/a@v1.0.0/x", type: "symlink", linkname: "/etc/passwd" }, /is a symlink/],
    [{ name: "var/cache/go-mod/a@v1.0.0/x", type: "link", linkname: "/etc/passwd" }, /is a link/],
    [{ name: "usr/local/lib/kiln/packs/aws.pack", type: "symlink", linkname: "/dev/zero" }, /is a symlink/],
    [{ name: "usr/../var/cache/go-mod/x", text: "a" }, /is no plain name/],
    [{ name: "var/cache/go-mod//x", text: "a" }, /is no plain name/],
    [{ name: "usr/local/lib/kiln/packs/objects/x", text: "a" }, /no archive beside a pack/],
    [{ name: "var/cache/go-build/trim.txt", text: "1" }, /no entry of a build cache/],
    [{ name: `var/cache/go-build/00/${output.slice(3)}`, text: "1" }, /no entry of a build cache/],
  ] as const)("refuses %o", async (entry, why) => {
    await expect(read(gzipSync(await tar([entry as Entry])))).rejects.toThrow(why);
  });

  it("takes no name that leads out of the caches for one of theirs", () => {
    const escape = fc.array(fc.constantFrom("..", ".", "", "a", "var", "cache", "go-mod", "go-build"), {
      minLength: 1,
      maxLength: 9,
    });
    fc.assert(
      fc.property(escape, (parts) => {
        let found: ReturnType<typeof cacheFileOf>;
        try {
          found = cacheFileOf({ name: `var/cache/go-mod/${parts.join("/")}`, type: "file", size: 1 });
        } catch {
          return;
        }
        if (found === undefined) return;
        expect(found.part).toBe("go-mod");
        if (found.part === "go-mod") expect(path.posix.join("/x", found.name)).toBe(`/x/${found.name}`);
      }),
    );
  });

  it("stops at what is too large, and at what breaks off", async () => {
    const archive = gzipSync(await tar(GOOD));
    await expect(read(archive, OCI.layer, { bytes: 10, entries: 99 })).rejects.toThrow(/more than 10 bytes/);
    await expect(read(archive, OCI.layer, { bytes: 99, entries: 2 })).rejects.toThrow(/more than 2 entries/);
    await expect(read(archive.subarray(0, archive.length - 20))).rejects.toThrow(/cannot be unpacked/);
    await expect(read(Buffer.from("no layer"))).rejects.toThrow(/cannot be unpacked/);
  });
});
