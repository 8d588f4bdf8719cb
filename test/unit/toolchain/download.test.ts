import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { afterEach, expect, test } from "vitest";
import { silent } from "../../../progress.ts";
import { download, Downloader, shownUrl } from "../../../toolchain/download.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const CONTENT = "the release";
const SHA256 = createHash("sha256").update(CONTENT).digest("hex");

let server: Server | undefined;

afterEach(() => {
  server?.close();
  server = undefined;
});

async function serve(status: number, port = 0, seen: (request: IncomingMessage) => void = () => undefined) {
  server = createServer((request, response) => {
    seen(request);
    response.writeHead(status).end(CONTENT);
  });
  const listening = server;
  await new Promise<void>((resolve) => listening.listen(port, "127.0.0.1", resolve));
  return (listening.address() as AddressInfo).port;
}

async function target(): Promise<string> {
  return path.join(await temporaryDirectory(), "file");
}

test("a file with the pinned checksum arrives", async () => {
  const file = await target();
  const port = await serve(200);
  expect(await download({ url: `http://127.0.0.1:${port}/tool`, sha256: SHA256 }, file, silent)).toBeUndefined();
  expect(await readFile(file, "utf8")).toBe(CONTENT);
});

test("a file with another checksum is an error and does not stay", async () => {
  const file = await target();
  const port = await serve(200);
  const pin = { url: `http://127.0.0.1:${port}/tool`, sha256: "0".repeat(64) };
  await expect(download(pin, file, silent)).rejects.toThrow(`the checksum is ${SHA256}, pinned is ${pin.sha256}`);
  expect(existsSync(file)).toBe(false);
});

test.each([403, 404, 503])("an answer of %d leaves room for another route", async (status) => {
  const file = await target();
  const port = await serve(status);
  const missed = await download({ url: `http://127.0.0.1:${port}/tool`, sha256: SHA256 }, file, silent);
  expect(missed?.reason).toContain(`answered ${status}`);
  expect(existsSync(file)).toBe(false);
});

test.each([
  ["user:s3cret", "user:s3cret"],
  ["user:s3%3Acret", "user:s3:cret"],
  ["user:50%s3cret", "user:50%s3cret"],
])("a login in the address (%s) is sent as a header and never shown", async (login, sent) => {
  const logins: (string | undefined)[] = [];
  const port = await serve(200, 0, (request) => logins.push(request.headers.authorization));
  const shown: string[] = [];
  const progress = { ...silent, update: (text: string) => shown.push(text) };
  const url = `http://${login}@127.0.0.1:${port}/tool?token=s3cret`;
  expect(await download({ url, sha256: SHA256 }, await target(), progress)).toBeUndefined();
  expect(logins).toEqual([`Basic ${Buffer.from(sent).toString("base64")}`]);
  expect(shown).toContain(`downloading http://127.0.0.1:${port}/tool`);
  const wrong = await download({ url, sha256: "0".repeat(64) }, await target(), progress).catch(String);
  await new Promise((resolve) => server?.close(resolve));
  const gone = await download({ url, sha256: SHA256 }, await target(), progress);
  expect(JSON.stringify([shown, wrong, gone, shownUrl(url)])).not.toContain("s3cret");
});

test("a download that breaks off is begun once more", async () => {
  let attempts = 0;
  server = createServer((_, response) => {
    if (attempts++ > 0) response.end(CONTENT);
    else response.writeHead(200, { "content-length": 99 }).write("the", () => response.destroy());
  });
  const listening = server;
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  const { port } = listening.address() as AddressInfo;
  const file = await target();
  const limits = { connectMs: 1000, stallMs: 1000, bytes: 1000 };
  const came = await new Downloader(limits).download(`http://127.0.0.1:${port}/tool`, file, silent);
  expect([came, attempts]).toEqual([{ sha256: SHA256, bytes: CONTENT.length }, 2]);
});

test("a host that did not answer is not asked again", async () => {
  const file = await target();
  const port = await serve(200);
  const pin = { url: `http://127.0.0.1:${port}/tool`, sha256: SHA256 };
  await new Promise((resolve) => server?.close(resolve));
  expect((await download(pin, file, silent))?.reason).toContain("cannot be reached");
  await serve(200, port);
  expect((await download(pin, file, silent))?.reason).toContain("cannot be reached");
});
