import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { LockedPlugin, PluginLock } from "../../../../cache/plugins/lock.ts";
import { PluginStore, type PluginStoreOptions } from "../../../../cache/plugins/store.ts";
import { archiveName, type Plugin } from "../../../../cache/plugins/plugin.ts";
import { silent } from "../../../../progress.ts";
import type { DownloadLimits } from "../../../../toolchain/download.ts";
import { pluginArchive, servePlugins, sha256 } from "../../../support/plugin-server.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";

const PLATFORM = "linux-amd64";
const EMPTY: PluginLock = { version: 1, archives: {} };
const QUICK: DownloadLimits = { connectMs: 300, stallMs: 300, bytes: 1024 ** 2 };

const nameOf = (name: string) => archiveName({ name, version: "1.0.0" }, PLATFORM);
const contentOf = (name: string) => pluginArchive({ [`pulumi-resource-${name}`]: `#!/bin/sh\n# ${name}\n` });
const from = (server: string, name: string): Plugin => ({ name, version: "1.0.0", server });

function lockedAs(plugin: Plugin, content: Buffer): LockedPlugin {
  const locked = { sha256: sha256(content), bytes: content.length, url: "https://example.com" };
  return { ...plugin, archive: archiveName(plugin, PLATFORM), locked };
}

let work: string;
let notes: string[];

beforeEach(async () => {
  work = await temporaryDirectory();
  notes = [];
});

function storeOf(options: Partial<PluginStoreOptions> = {}): PluginStore {
  const places = { project: "/", work, state: "/", cache: "/" };
  const progress = { ...silent, note: (text: string) => notes.push(text) };
  return new PluginStore({ places, platform: PLATFORM, progress, env: {}, downloadLimits: QUICK, ...options });
}

const kept = () => readdir(path.join(work, "plugins"));

describe("locking plugins", () => {
  it("records size, checksum and origin, says what it trusts, and keeps the archive for the bake", async () => {
    const content = await contentOf("acme");
    const server = await servePlugins({ [`/${nameOf("acme")}`]: content });
    const plugin = from(server.url, "acme");
    const lock = await storeOf().lock([plugin], EMPTY);
    expect(lock.archives).toEqual({
      [nameOf("acme")]: { sha256: sha256(content), bytes: content.length, url: `${server.url}/${nameOf("acme")}` },
    });
    expect(notes).toEqual([expect.stringMatching(/this first download is trusted: [0-9a-f]{64}$/)]);
    const [file = ""] = await storeOf().readyArchives([lockedAs(plugin, content)]);
    expect(await readFile(file)).toEqual(content);
    expect(server.asked).toHaveLength(1);
  });

  it("leaves what is locked alone", async () => {
    const plugin = from("http://127.0.0.1:1", "acme");
    const { archive, locked } = lockedAs(plugin, Buffer.from("x"));
    const lock: PluginLock = { version: 1, archives: { [archive]: locked } };
    expect(await storeOf().lock([plugin], lock)).toEqual(lock);
  });

  it.each([
    ["the same", (sum: string) => sum, undefined],
    ["the same in capitals", (sum: string) => sum.toUpperCase(), undefined],
    ["another", () => "0".repeat(64), /the checksum is [0-9a-f]{64}, published is 0{64}/],
  ])("compares with %s checksum of its publisher", async (_, published, refusal) => {
    const [content, name] = [await contentOf("aws"), nameOf("aws")];
    const server = await servePlugins({
      [`/pulumi/pulumi-aws/releases/download/v1.0.0/${name}`]: content,
      "/pulumi/pulumi-aws/releases/download/v1.0.0/pulumi-aws_1.0.0_checksums.txt": Buffer.from(
        `${"1".repeat(64)}  another.tar.gz\n${published(sha256(content))}  ${name}\n`,
      ),
    });
    const real = globalThis.fetch;
    vi.stubGlobal("fetch", (url: string, init: RequestInit) =>
      real(url.replace("https://github.com", server.url), init),
    );
    const locking = storeOf().lock([{ name: "aws", version: "1.0.0" }], EMPTY);
    try {
      if (refusal === undefined) {
        const confirmedBy =
          "https://github.com/pulumi/pulumi-aws/releases/download/v1.0.0/pulumi-aws_1.0.0_checksums.txt";
        expect((await locking).archives[name]).toMatchObject({ confirmedBy });
        expect(notes).toEqual([]);
      } else {
        await expect(locking).rejects.toThrow(refusal);
        expect(await kept()).toEqual([]);
      }
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it("refuses an archive without the plugin's program, and locks nothing then", async () => {
    const server = await servePlugins({
      [`/${nameOf("acme")}`]: await pluginArchive({ "PulumiPlugin.yaml": "runtime: nodejs\n" }),
    });
    await expect(storeOf().lock([from(server.url, "acme")], EMPTY)).rejects.toThrow(
      "holds no program pulumi-resource-acme",
    );
    expect(await kept()).toEqual([]);
  });
});

describe("archives for a bake", () => {
  it("are refused with another checksum than the lock's, and do not stay", async () => {
    const server = await servePlugins({ [`/${nameOf("acme")}`]: await contentOf("evil") });
    const ready = storeOf().readyArchives([lockedAs(from(server.url, "acme"), await contentOf("acme"))]);
    await expect(ready).rejects.toMatchObject({
      kind: "failed",
      message: expect.stringMatching(/the checksum is [0-9a-f]{64}, locked is [0-9a-f]{64}/) as string,
    });
    expect(await kept()).toEqual([]);
  });

  it("are got again where the kept one was changed", async () => {
    const content = await contentOf("acme");
    const server = await servePlugins({ [`/${nameOf("acme")}`]: content });
    await mkdir(path.join(work, "plugins"));
    await writeFile(path.join(work, "plugins", nameOf("acme")), Buffer.alloc(content.length, "x"));
    const [file = ""] = await storeOf().readyArchives([lockedAs(from(server.url, "acme"), content)]);
    expect(await readFile(file)).toEqual(content);
  });

  it("come from a folder before the network", async () => {
    const folder = await temporaryDirectory();
    const content = await contentOf("acme");
    await writeFile(path.join(folder, nameOf("acme")), content);
    const plugin = from("http://127.0.0.1:1", "acme");
    const [file = ""] = await storeOf({ from: folder }).readyArchives([lockedAs(plugin, content)]);
    expect(await readFile(file)).toEqual(content);
  });

  it("come from the mirror of Pulumi's variable, with its login, which no message shows", async () => {
    const [content, seen] = [await contentOf("acme"), [] as (string | undefined)[]];
    const server = await servePlugins({
      [`/mirror/${nameOf("acme")}`]: (request, response) => {
        seen.push(request.headers.authorization);
        response.end(content);
      },
    });
    const mirror = `${server.url.replace("//", "//me:s3cret@")}/mirror`;
    const env = { PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES: `^github://=${mirror}` };
    const lock = await storeOf({ env }).lock([{ name: "acme", version: "1.0.0" }], EMPTY);
    expect(seen).toEqual([`Basic ${Buffer.from("me:s3cret").toString("base64")}`]);
    expect(lock.archives[nameOf("acme")]?.url).toBe(`${server.url}/mirror/${nameOf("acme")}`);
    expect(JSON.stringify([lock, notes])).not.toContain("s3cret");
  });

  it("that no server has are all named, with the ways to go on", async () => {
    const server = await servePlugins({ [`/${nameOf("one")}`]: await contentOf("one") });
    const plugins = await Promise.all(
      ["one", "two", "three"].map(async (name) => lockedAs(from(server.url, name), await contentOf(name))),
    );
    const { host } = new URL(server.url);
    await expect(storeOf().readyArchives(plugins)).rejects.toMatchObject({
      kind: "unreachable",
      message: `cannot get 2 plugins for linux-amd64:\n  two@1.0.0: ${host} answered 404\n  three@1.0.0: ${host} answered 404`,
      mend: expect.stringMatching(/OVERRIDES.*--from DIR.*none or volume/) as string,
    });
    expect(await kept()).toEqual([nameOf("one")]);
  });

  it("whose server stops half-way are asked for once more, and nothing half stays", async () => {
    const content = await contentOf("acme");
    const path_ = `/${nameOf("acme")}`;
    const server = await servePlugins({
      [path_]: (_, response) => {
        response.writeHead(200, { "content-length": content.length }).write(content.subarray(0, 20));
      },
    });
    const ready = storeOf().readyArchives([lockedAs(from(server.url, "acme"), content)]);
    await expect(ready).rejects.toThrow("broke off: nothing came within 0.3 s");
    expect(server.asked).toEqual([path_, path_]);
    expect(await kept()).toEqual([]);
  });

  it("that come at the second attempt are there", async () => {
    const content = await contentOf("acme");
    let attempts = 0;
    const server = await servePlugins({
      [`/${nameOf("acme")}`]: (_, response) => {
        if (attempts++ > 0) response.end(content);
        else
          response
            .writeHead(200, { "content-length": content.length })
            .write(content.subarray(0, 20), () => response.destroy());
      },
    });
    const [file = ""] = await storeOf().readyArchives([lockedAs(from(server.url, "acme"), content)]);
    expect(await readFile(file)).toEqual(content);
  });

  it("larger than any plugin end the download", async () => {
    const server = await servePlugins({ [`/${nameOf("acme")}`]: Buffer.alloc(2000) });
    const store = storeOf({ downloadLimits: { ...QUICK, bytes: 1000 } });
    const plugin = lockedAs(from(server.url, "acme"), await contentOf("acme"));
    await expect(store.readyArchives([plugin])).rejects.toThrow("has more than 1000 bytes, which no release has");
    expect(server.asked).toHaveLength(1);
  });

  it("of a server that does not answer are waited for once, not once a plugin", async () => {
    const never = () => undefined;
    const server = await servePlugins({ [`/${nameOf("one")}`]: never, [`/${nameOf("two")}`]: never });
    const plugins = ["one", "two"].map((name) => lockedAs(from(server.url, name), Buffer.from("x")));
    const { host } = new URL(server.url);
    const reason = `${host} cannot be reached: no answer within 0.3 s`;
    await expect(storeOf().readyArchives(plugins)).rejects.toThrow(
      `cannot get 2 plugins for linux-amd64:\n  one@1.0.0: ${reason}\n  two@1.0.0: ${reason}`,
    );
    expect(server.asked).toEqual([`/${nameOf("one")}`]);
  });
});
