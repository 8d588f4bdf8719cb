import { writeFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import { describe, expect, it } from "vitest";
import { packagesOfLayers } from "../../../../release/supply/image-packages.ts";
import { readLayerPackages, unescaped } from "../../../../release/supply/layer-packages.ts";
import { goModule } from "../../../../release/supply/package.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";

type Entry = readonly [name: string, content: string | undefined, mode?: number];

/** A layer's archive of files, and of folders where there is no content. */
async function layer(entries: readonly Entry[]): Promise<string> {
  const archive = pack();
  for (const [name, content, mode = 0o644] of entries) {
    if (content === undefined) archive.entry({ name, type: "directory" });
    else archive.entry({ name, mode }, content);
  }
  archive.finalize();
  const parts: Buffer[] = [];
  for await (const part of archive) parts.push(part as Buffer);
  const file = path.join(await temporaryDirectory(), "layer");
  await writeFile(file, gzipSync(Buffer.concat(parts)));
  return file;
}

const GZIP = "application/vnd.oci.image.layer.v1.tar+gzip";
const read = async (...entries: readonly Entry[]) =>
  readLayerPackages(await layer(entries), GZIP, await temporaryDirectory());

describe("a layer", () => {
  it("tells of dpkg, Go, the folders of Go modules, npm's packages, and programs that no package manager knows", async () => {
    expect(
      await read(
        ["./var/lib/dpkg/status", "Package: git\n"],
        ["usr/lib/os-release", "ID=debian"],
        ["usr/local/go/VERSION", "go1.26.8\n"],
        ["usr/local/go/bin/go", "of Go itself", 0o755],
        ["usr/local/bin/pulumi", "program", 0o755],
        ["usr/local/lib/node_modules/npm/package.json", '{"name":"npm","version":"11.21.2"}'],
        ["opt/node_modules/large/package.json", `{"name":"large","version":"1.0.0"}${" ".repeat(4_000_001)}`],
        ["usr/local/bin/notes.txt", "no program"],
        ["usr/bin/git", "of a package", 0o755],
        ["var/cache/go-mod/github.com/!azure/sdk@v1.2.3/", undefined],
        ["var/cache/go-mod/github.com/!azure/sdk@v1.2.3/a.go", "package a"],
        ["var/cache/go-mod/cache/download/github.com/only/metadata/@v/v1.0.0.mod", "module x"],
      ),
    ).toEqual({
      dpkgStatus: "Package: git\n",
      osRelease: "ID=debian",
      goVersion: "go1.26.8\n",
      modules: ["github.com/Azure/sdk@v1.2.3"],
      installed: [expect.objectContaining({ purl: "pkg:npm/npm@11.21.2" })],
      programs: { "0": "usr/local/bin/pulumi" },
    });
  });

  it("that is no archive is an error of its own", async () => {
    const file = path.join(await temporaryDirectory(), "layer");
    await writeFile(file, "no gzip");
    await expect(readLayerPackages(file, GZIP, await temporaryDirectory())).rejects.toThrow("a layer cannot be read");
  });

  it("above another one replaces its list of Debian packages, and adds its modules and what is installed", () => {
    const below = {
      dpkgStatus: "Package: old\nVersion: 1\n",
      osRelease: "ID=debian\nVERSION_ID=12",
      goVersion: "go1.25.0",
    };
    const above = {
      dpkgStatus: "Package: new\nVersion: 2\n",
      goVersion: "go1.26.8",
      modules: ["m@v2.0.0"],
      installed: [goModule("i@v1.0.0", "usr/local/share/kiln/language-runner.json")],
      programs: {},
    };
    const found = packagesOfLayers([{ ...below, modules: ["m@v1.0.0"], installed: [], programs: {} }, above]);
    expect(found.map(({ purl }) => purl)).toEqual([
      "pkg:deb/debian/new@2?distro=debian-12",
      "pkg:golang/stdlib@1.26.8",
      "pkg:golang/m@v1.0.0",
      "pkg:golang/m@v2.0.0",
      "pkg:golang/i@v1.0.0",
    ]);
  });

  it("has Go's escaping of capitals undone", () => {
    expect(unescaped("github.com/!burnt!sushi/toml")).toBe("github.com/BurntSushi/toml");
  });
});
