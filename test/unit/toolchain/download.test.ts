import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { afterEach, expect, test } from "vitest";
import { silent } from "../../../progress.ts";
import { download } from "../../../toolchain/download.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const CONTENT = "the release";
const SHA256 = createHash("sha256").update(CONTENT).digest("hex");

let server: Server | undefined;

afterEach(() => {
  server?.close();
  server = undefined;
});

async function serve(status: number, port = 0): Promise<number> {
  server = createServer((_, response) => response.writeHead(status).end(CONTENT));
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

test("a host that did not answer is not asked again", async () => {
  const file = await target();
  const port = await serve(200);
  const pin = { url: `http://127.0.0.1:${port}/tool`, sha256: SHA256 };
  await new Promise((resolve) => server?.close(resolve));
  expect((await download(pin, file, silent))?.reason).toContain("cannot be reached");
  await serve(200, port);
  expect((await download(pin, file, silent))?.reason).toContain("cannot be reached");
});
