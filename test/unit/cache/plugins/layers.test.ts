import { createReadStream } from "node:fs";
import { chmod, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { createGunzip } from "node:zlib";
import { extract, type Header } from "tar-stream";
import { describe, expect, it } from "vitest";
import { parsePlugins } from "../../../../cache/plugins/check.ts";
import { pluginLayerTag, pushPluginLayers, writePluginLayer } from "../../../../cache/plugins/layers.ts";
import type { LockedPlugin } from "../../../../cache/plugins/lock.ts";
import { PluginStore } from "../../../../cache/plugins/store.ts";
import { archiveName } from "../../../../cache/plugins/plugin.ts";
import { silent } from "../../../../progress.ts";
import { isTag } from "../../../../registry/image-reference.ts";
import { pluginArchive, servePlugins, sha256, type ArchiveContent } from "../../../support/plugin-server.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";

const ACME = { name: "acme", version: "1.0.0" };
const CONTENT: ArchiveContent = {
  LICENSE: "free\n",
  "schema/latest": { type: "symlink", linkname: "v1.json" },
  "schema/v1.json": "{}",
  "pulumi-resource-acme": "binary",
};

async function layerOf(content: ArchiveContent) {
  const directory = await temporaryDirectory();
  const archive = path.join(directory, "archive.tar.gz");
  await writeFile(archive, await pluginArchive(content));
  return writePluginLayer(ACME, archive, path.join(directory, "layer.tar.gz"));
}

async function headersOf(file: string): Promise<readonly Header[]> {
  const headers: Header[] = [];
  for await (const entry of createReadStream(file)
    .pipe(createGunzip())
    .pipe(extract() as never) as unknown as ReturnType<typeof extract>) {
    headers.push(entry.header);
    entry.resume();
  }
  return headers;
}

describe("writePluginLayer", () => {
  it("has the archive's files where Pulumi looks for them, root's, its program executable whatever the archive says", async () => {
    const { file, contentBytes } = await layerOf(CONTENT);
    const below = "var/cache/pulumi-plugins/resource-acme-v1.0.0";
    const found = (await headersOf(file)).map(({ name, mode, uid, linkname }) => [
      name,
      mode.toString(8),
      uid,
      linkname,
    ]);
    expect(found).toEqual([
      ["var/", "755", 0, null],
      ["var/cache/", "755", 0, null],
      ["var/cache/pulumi-plugins/", "1777", 0, null],
      [`${below}/`, "755", 0, null],
      [`${below}/LICENSE`, "644", 0, null],
      [`${below}/schema/`, "755", 0, null],
      [`${below}/schema/latest`, "644", 0, "v1.json"],
      [`${below}/schema/v1.json`, "644", 0, null],
      [`${below}/pulumi-resource-acme`, "755", 0, null],
    ]);
    expect(contentBytes).toBe("free\n{}binary".length);
  });

  it("gives the same bytes for the same archive", async () => {
    const [one, two] = await Promise.all([layerOf(CONTENT), layerOf(CONTENT)]);
    expect({ ...one, file: "" }).toEqual({ ...two, file: "" });
    expect(`sha256:${sha256(await readFile(one.file))}`).toBe(one.digest);
  });

  it("is refused for an archive that leads out, or has no program, and leaves nothing", async () => {
    await expect(layerOf({ ...CONTENT, "../../../etc/cron.d/x": "x" })).rejects.toThrow("leads outside");
    await expect(layerOf({ "pulumi-resource-other": "binary" })).rejects.toThrow(
      "holds no program pulumi-resource-acme",
    );
  });
});

describe("pluginLayerTag", () => {
  const locked = (name: string, version: string, digit: string): LockedPlugin => ({
    name,
    version,
    archive: archiveName({ name, version }, "linux-amd64"),
    locked: { sha256: digit.repeat(64), bytes: 1, url: "" },
  });

  it("is a tag for any plugin, and another for another archive", () => {
    expect(isTag(pluginLayerTag(locked("A_b", "1.0.0-rc.1+build", "a")))).toBe(true);
    expect(isTag(pluginLayerTag(locked("x".repeat(200), "1.0.0", "a")))).toBe(true);
    expect(pluginLayerTag(locked("aws", "1.0.0", "a"))).not.toBe(pluginLayerTag(locked("aws", "1.0.0", "b")));
    expect(pluginLayerTag(locked("aws", "1.0.0", "a"))).toMatch(/^layer-plugin-aws-1\.0\.0-[0-9a-f]{32}$/);
  });
});

describe("pushPluginLayers", () => {
  const REPOSITORY = "localhost:5180/kiln/layers";
  const digestOf = (digit: string) => `sha256:${digit.repeat(64)}`;

  /** A regctl that knows the image of one layer under tags that begin with `known`. */
  async function regctl(known: string): Promise<{ readonly regctl: string }> {
    const file = path.join(await temporaryDirectory(), "regctl");
    const manifest = { schemaVersion: 2, config: {}, layers: [{ digest: digestOf("1"), size: 7 }] };
    await writeFile(
      file,
      `#!${process.execPath}
const [kind, verb, ...rest] = process.argv.slice(2);
const named = rest.some((word) => word.startsWith(${JSON.stringify(`${REPOSITORY}:${known}`)}));
if (verb === "put") require("node:fs").readFileSync(0);
if (verb === "head" && !named) { console.error("not found"); process.exit(1); }
if (kind === "manifest" && verb === "get") console.log(${JSON.stringify(JSON.stringify(manifest))});
else console.log({ head: ${JSON.stringify(digestOf("a"))}, put: ${JSON.stringify(digestOf("b"))} }[verb] ?? "");
`,
    );
    await chmod(file, 0o755);
    return { regctl: file };
  }

  it("asks no server for a layer that the registry has", async () => {
    const content = await pluginArchive({ "pulumi-resource-two": "#!/bin/sh\n" });
    const name = archiveName({ name: "two", version: "1.0.0" }, "linux-amd64");
    const server = await servePlugins({ [`/${name}`]: content });
    const plugin = (pluginName: string): LockedPlugin => {
      const wanted = { name: pluginName, version: "1.0.0", server: server.url };
      const locked = { sha256: sha256(content), bytes: content.length, url: "" };
      return { ...wanted, archive: archiveName(wanted, "linux-amd64"), locked };
    };
    const [work, scratch] = [await temporaryDirectory(), await temporaryDirectory()];
    const places = { project: "/", work, state: "/", cache: "/" };
    const store = new PluginStore({ places, platform: "linux-amd64", progress: silent, env: {} });
    const options = { repository: REPOSITORY, store, architecture: "amd64", scratch, progress: silent };
    const pushed = await pushPluginLayers({
      ...{ client: await regctl("layer-plugin-one-"), ...options },
      plugins: [plugin("one"), plugin("two")],
    });
    expect(pushed).toMatchObject([
      { name: "plugin-one-1.0.0", image: digestOf("a"), digest: digestOf("1"), size: 7 },
      { name: "plugin-two-1.0.0", image: digestOf("b"), contentBytes: 10 },
    ]);
    expect(server.asked).toEqual([`/${name}`]);
    expect(await readdir(scratch)).toEqual([]);
    // Where nothing of the registry may be taken, it is written from the archive that the lock names.
    const all = { ...options, plugins: [plugin("two")], anew: true };
    const [again] = await pushPluginLayers({ ...all, client: await regctl("layer-plugin-") });
    expect(again).toMatchObject({ image: digestOf("b"), digest: pushed[1]?.digest });
  });
});

describe("parsePlugins", () => {
  it("gives resource plugins without what else Pulumi lists", () => {
    const listed = [
      { name: "aws", kind: "resource", version: "7.12.0", size: 1 },
      { name: "go", kind: "language", version: "3.253.0" },
      { name: "old", kind: "resource" },
    ];
    expect(parsePlugins(JSON.stringify(listed))).toEqual([
      { name: "aws", version: "7.12.0" },
      { name: "old", version: "" },
    ]);
  });

  it("says so where there is no list", () => {
    expect(() => parsePlugins("error: no home")).toThrow("pulumi plugin ls printed no list");
  });
});
