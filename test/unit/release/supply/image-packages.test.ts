import { createHash } from "node:crypto";
import { copyFile, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { pack } from "tar-stream";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { silent } from "../../../../progress.ts";
import type { Image } from "../../../../registry/compose.ts";
import { readImagePackages } from "../../../../release/supply/image-packages.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";

const blobs = vi.hoisted(() => new Map<string, string>());
vi.mock("../../../../registry/client.ts", async (original) => ({
  ...(await original<object>()),
  readBlobFile: (_client: unknown, _repository: string, digest: string, file: string) =>
    copyFile(blobs.get(digest) ?? "", file),
}));

const TAR = "application/vnd.oci.image.layer.v1.tar";
let folder: string;

/** Puts a layer with one file into the registry; gives its descriptor. */
async function layer(name: string, content: string, mode = 0o644) {
  const archive = pack();
  archive.entry({ name, mode }, content);
  archive.finalize();
  const parts: Buffer[] = [];
  for await (const part of archive) parts.push(part as Buffer);
  const bytes = Buffer.concat(parts);
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  const file = path.join(folder, digest.slice(7));
  await writeFile(file, bytes);
  blobs.set(digest, file);
  return { mediaType: TAR, digest, size: bytes.length };
}

/** A stand-in for Go that says of each file in a folder which module it is made of: the file's own content. */
async function go(): Promise<string> {
  const file = path.join(folder, "go");
  const script = String.raw`for one in "$3"/*; do printf '%s: go1.26.8\n\tdep\t%s\n' "$one" "$(cat "$one")"; done`;
  await writeFile(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return file;
}

beforeEach(async () => {
  folder = await temporaryDirectory();
});

const read = async (work: string, ...layers: readonly Awaited<ReturnType<typeof layer>>[]) =>
  readImagePackages({
    ...{ client: { regctl: "none" }, repository: "localhost:5180/warm", go, work, progress: silent },
    image: { manifest: { layers } } as unknown as Image,
  });

describe("the packages of an image", () => {
  it("are those of all its layers and programs, each once, and nothing of them is left on the disk", async () => {
    const work = await temporaryDirectory();
    const packages = await read(
      work,
      await layer("var/lib/dpkg/status", "Package: git\nVersion: 1.0\n"),
      await layer("usr/local/bin/tool", "github.com/acme/tool\tv1.2.3", 0o755),
      await layer("usr/local/bin/same", "github.com/acme/tool\tv1.2.3", 0o755),
    );
    expect(packages.map(({ purl, foundIn }) => [purl, foundIn])).toEqual([
      ["pkg:deb/debian/git@1.0", "var/lib/dpkg/status"],
      ["pkg:golang/github.com/acme/tool@v1.2.3", "usr/local/bin/tool"],
      ["pkg:golang/stdlib@1.26.8", "usr/local/bin/tool"],
    ]);
    expect(await readdir(work)).toEqual([]);
  });

  it("are not read from a layer that is another than its digest says", async () => {
    const work = await temporaryDirectory();
    const one = await layer("usr/local/go/VERSION", "go1.26.8");
    const file = blobs.get(one.digest) ?? "";
    await writeFile(file, (await readFile(file)).fill("1", 512, 520));
    await expect(read(work, one)).rejects.toMatchObject({ kind: "difference" });
    expect(await readdir(work)).toEqual([]);
  });
});
