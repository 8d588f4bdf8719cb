import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { deflateRawSync } from "node:zlib";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { silent } from "../../../progress.ts";
import { proxyAddress, unpackGoToolchain } from "../../../toolchain/go-toolchain.ts";
import { unzip } from "../../../toolchain/unzip.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

let home: string;

beforeEach(async () => {
  home = await temporaryDirectory();
});

/** A zip archive of these files, every second one stored and the others deflated. */
async function zip(files: Readonly<Record<string, string>>): Promise<string> {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, text] of Object.entries(files)) {
    const method = directory.length % 2 === 0 ? 8 : 0;
    const packed = method === 8 ? deflateRawSync(text) : Buffer.from(text);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(method, 10);
    entry.writeUInt32LE(packed.length, 20);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(offset, 42);
    bodies.push(local, Buffer.from(name), packed);
    directory.push(entry, Buffer.from(name));
    offset += 30 + name.length + packed.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Object.keys(files).length, 10);
  end.writeUInt32LE(Buffer.concat(directory).length, 12);
  end.writeUInt32LE(offset, 16);
  const archive = path.join(home, "a.zip");
  await writeFile(archive, Buffer.concat([...bodies, ...directory, end]));
  return archive;
}

const modeOf = (name: string) => (name.startsWith("bin/") ? 0o755 : 0o644);

test("files below the prefix are unpacked, with the modes that the caller says", async () => {
  const archive = await zip({ "m@v1/bin/go": "program ".repeat(99), "m@v1/VERSION": "go1", "other/x": "no" });
  const target = path.join(home, "out");
  await unzip(archive, target, { prefix: "m@v1/", modeOf });
  expect(await readFile(path.join(target, "bin/go"), "utf8")).toBe("program ".repeat(99));
  expect(await readFile(path.join(target, "VERSION"), "utf8")).toBe("go1");
  expect((await stat(path.join(target, "bin/go"))).mode & 0o111).toBe(0o111);
  expect((await stat(path.join(target, "VERSION"))).mode & 0o111).toBe(0);
  expect(existsSync(path.join(target, "x"))).toBe(false);
});

test("an entry that leads outside of the directory is refused", async () => {
  const archive = await zip({ "m/../../evil": "x" });
  await expect(unzip(archive, path.join(home, "out"), { prefix: "m/", modeOf })).rejects.toThrow("leads outside");
  expect(existsSync(path.join(home, "evil"))).toBe(false);
});

test("what is no zip archive is refused", async () => {
  const file = path.join(home, "a.zip");
  await writeFile(file, "<html>blocked</html>");
  await expect(unzip(file, path.join(home, "out"), { prefix: "", modeOf })).rejects.toThrow("it has no directory");
});

test("a proxy's login brings the toolchain from it, and no message shows it", async () => {
  const logins: (string | undefined)[] = [];
  const archive = await readFile(await zip({ "m@v1/bin/go": "program" }));
  const server = createServer((request, response) => {
    logins.push(request.headers.authorization);
    response.writeHead(request.url?.endsWith("/go.zip") ? 200 : 403).end(archive);
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const proxy = `http://user:s3$&cret@127.0.0.1:${(server.address() as AddressInfo).port}/mirror`;
  const sha256 = createHash("sha256").update(archive).digest("hex");
  const unpack = (name: string) => {
    const pin = { url: `https://proxy.golang.org/${name}`, sha256, member: "m@v1/bin/go" };
    const toolchain = { name: "go1.0.0", archives: { "linux-amd64": pin } };
    const options = { progress: silent, env: { GOPROXY: `${proxy},direct` }, platform: "linux-amd64" };
    return unpackGoToolchain(toolchain, path.join(home, "go"), options);
  };
  expect(await unpack("go.zip")).toBeUndefined();
  expect(await readFile(path.join(home, "go/bin/go"), "utf8")).toBe("program");
  expect(logins).toEqual([`Basic ${Buffer.from("user:s3$&cret").toString("base64")}`]);
  expect(await unpack("none.zip")).toMatch(/^127\.0\.0\.1:\d+ answered 403$/);
});

test.each([
  [undefined, "https://proxy.golang.org"],
  ["https://go.example/mirror/,direct", "https://go.example/mirror"],
  ["off", "https://proxy.golang.org"],
  ["direct|http://other.example", "http://other.example"],
])("GOPROXY=%s leads to %s", (GOPROXY, address) => {
  expect(proxyAddress({ GOPROXY })).toBe(address);
});
