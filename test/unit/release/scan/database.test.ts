import { mkdir, readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { silent } from "../../../../progress.ts";
import { readyDatabase } from "../../../../release/scan/database.ts";
import { storedZip } from "../../../support/stored-zip.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";

let cache: string;
let server: Server;
let asked: string[];
let url: string;

beforeEach(async () => {
  cache = await temporaryDirectory();
  asked = [];
  server = createServer((request, response) => {
    asked.push(request.url ?? "");
    const body = request.url?.includes("/Hollow/") === true ? storedZip({}) : request.url;
    response.writeHead(request.url?.includes("/Alpine/") === true ? 404 : 200).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mirror/`;
});

afterEach(() => {
  server.close();
});

const ready = (from: string, now = Date.now()) => readyDatabase(from, { cache, now, progress: silent });

describe("readyDatabase", () => {
  it("keeps what a mirror has for some hours, as osv-scanner reads it", async () => {
    const { folder } = await ready(url);
    expect(asked).toEqual(["/mirror/Debian/all.zip", "/mirror/Go/all.zip"]);
    const archive = path.join(folder, "osv-scanner/Debian/all.zip");
    expect(await readFile(archive, "utf8")).toBe("/mirror/Debian/all.zip");
    await ready(url);
    expect(asked).toHaveLength(2);
    const old = new Date(Date.now() - 5 * 3_600_000);
    await utimes(archive, old, old);
    await ready(url);
    expect(asked.slice(2)).toEqual(["/mirror/Debian/all.zip"]);
  });

  it("gets more when a scan asks for it, and says where it could not", async () => {
    const { more, folder } = await ready(url);
    expect(await more(["npm"])).toEqual(["npm"]);
    expect(await readFile(path.join(folder, "osv-scanner/npm/all.zip"), "utf8")).toBe("/mirror/npm/all.zip");
    expect(await more(["../../npm", "GitHub Actions", ""])).toEqual(["GitHub Actions"]);
    await expect(more(["Alpine"])).rejects.toMatchObject({
      kind: "unreachable",
      message: expect.stringMatching(/\/mirror\/Alpine\/all\.zip cannot be had: .* answered 404/) as string,
    });
  });

  it("refuses an archive without a record, by which all would be sound", async () => {
    const { more, folder } = await ready(url);
    const hollow = path.join(folder, "osv-scanner/Hollow");
    await expect(more(["Hollow"])).rejects.toThrow(/\/mirror\/Hollow\/all\.zip has no record: nothing would be found/);
    expect(await readdir(hollow)).toEqual([]);
    await writeFile(path.join(hollow, "all.zip"), storedZip({ "CVE-1.json": "{}" }));
    expect((await ready(folder)).folder).toBe(folder);
    await writeFile(path.join(hollow, "all.zip"), storedZip({}));
    await expect(ready(folder)).rejects.toMatchObject({ kind: "failed", message: /Hollow\/all\.zip has no record/ });
  });

  it("takes a folder as it is, and refuses one that is no database", async () => {
    await mkdir(path.join(cache, "osv-scanner"));
    await writeFile(path.join(cache, "file"), "");
    const { folder, more } = await ready(cache);
    expect([folder, await more(["npm"])]).toEqual([cache, []]);
    await expect(ready(path.join(cache, "file"))).rejects.toMatchObject({ kind: "usage" });
  });
});
