import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Progress } from "../../../progress.ts";
import { pins, platformName, type Download, type Pins } from "../../../toolchain/pins.ts";
import { places, type Places } from "../../../toolchain/places.ts";
import { run } from "../../../toolchain/process.ts";
import { findTool, namesVersion, resolveTool, toolHome } from "../../../toolchain/resolve.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

let home: string;
let here: Places;
let server: Server;
let notes: string[];
let progress: Progress;
/** What the server gives, by path; everything else is 404. */
let files: Map<string, Buffer>;

beforeEach(async () => {
  home = await temporaryDirectory();
  here = places({ KILN_CACHE_DIR: path.join(home, "cache"), KILN_STATE_DIR: path.join(home, "state") });
  notes = [];
  progress = { step: () => undefined, update: () => undefined, note: (text) => notes.push(text) };
  files = new Map();
  server = createServer((request, response) => {
    const file = files.get(request.url ?? "");
    response.writeHead(file ? 200 : 404).end(file);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});

afterEach(() => server.close());

/** A program that prints `text` whatever it is asked. */
function saying(text: string): string {
  return `#!/bin/sh\necho '${text}'\n`;
}

async function program(directory: string, name: string, text: string): Promise<string> {
  await mkdir(path.join(home, directory), { recursive: true });
  const file = path.join(home, directory, name);
  await writeFile(file, text);
  await chmod(file, 0o755);
  return file;
}

/** A stand-in for Go: builds by writing a program that names its version, and leaves a line of what it was asked. */
async function fakeGo(builds: string): Promise<string> {
  const script = `#!/bin/sh
echo "$* sumdb=$GOSUMDB cgo=$CGO_ENABLED" >> ${home}/asked
case "$*" in
  "env GOVERSION") echo go${pins.go.version} ;;
  "env GOROOT") echo ${home}/goroot ;;
  build*) while [ "$1" != -o ]; do shift; done; cp ${await program("made", "made", saying(builds))} "$2" ;;
esac
`;
  return path.dirname(await program("goroot/bin", "go", script));
}

function withDownload(download: Omit<Download, "url"> | undefined): Pins {
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/file`;
  return { ...pins, regctl: { ...pins.regctl, downloads: download ? { [platformName()]: { url, ...download } } : {} } };
}

function sha256(data: Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}

const PATH = "/usr/bin:/bin";
const VERSION = `VCSTag: v${pins.regctl.version}`;

test("a tool of the pinned version on PATH is used, an other version before it is not", async () => {
  await program("old", "regctl", saying("VCSTag: v0.1.0"));
  const right = await program("right", "regctl", saying(VERSION));
  const env = { PATH: `${home}/old:${home}/right:${PATH}` };
  const tool = await resolveTool("regctl", { places: here, progress, env, pins: withDownload(undefined) });
  expect(tool).toMatchObject({ path: right, source: "path", version: pins.regctl.version });
});

test("a bare binary is downloaded, made executable, and found again with its route", async () => {
  const binary = Buffer.from(saying(VERSION));
  files.set("/file", binary);
  const options = { places: here, progress, env: { PATH }, pins: withDownload({ sha256: sha256(binary) }) };
  const tool = await resolveTool("regctl", options);
  expect(tool.source).toBe("download");
  expect((await run(tool.path, [])).stdout.trim()).toBe(VERSION);
  expect(await findTool("regctl", options)).toEqual(tool);
  expect(notes).toEqual([]);
});

test("an archive keeps what stands beside the binary", async () => {
  await program("packed/tool", "regctl", saying(VERSION));
  await program("packed/tool", "plugin", saying("plugin"));
  await run("tar", ["-czf", path.join(home, "archive"), "-C", path.join(home, "packed"), "tool"]);
  const archive = await readFile(path.join(home, "archive"));
  files.set("/file", archive);
  const tool = await resolveTool("regctl", {
    ...{ places: here, progress, env: { PATH } },
    pins: withDownload({ sha256: sha256(archive), member: "tool/regctl" }),
  });
  expect(path.dirname(tool.path)).toBe(tool.root);
  expect(existsSync(path.join(tool.root, "plugin"))).toBe(true);
});

test("without the download the tool is built from the Go module proxy, after one note", async () => {
  const env = { PATH: `${await fakeGo(VERSION)}:${PATH}`, GOSUMDB: "off", CGO_ENABLED: "1" };
  const options = { places: here, progress, env, pins: withDownload({ sha256: "0".repeat(64) }) };
  expect((await resolveTool("regctl", options)).source).toBe("built");
  expect(notes).toHaveLength(1);
  expect(notes[0]).toContain("answered 404");
  expect((await findTool("regctl", options))?.source).toBe("built");
  const asked = await readFile(path.join(home, "asked"), "utf8");
  expect(asked).toContain("mod tidy sumdb=sum.golang.org cgo=0\n");
  expect(asked).toMatch(/^build .* sumdb=sum.golang.org cgo=0$/m);
  expect(await readdir(toolHome("regctl", options))).toEqual(["regctl", "tool.json"]);
});

test("a wrong checksum is an error: nothing is built instead, nothing stays", async () => {
  files.set("/file", Buffer.from(saying(VERSION)));
  const env = { PATH: `${await fakeGo(VERSION)}:${PATH}` };
  const options = { places: here, progress, env, pins: withDownload({ sha256: "0".repeat(64) }) };
  await expect(resolveTool("regctl", options)).rejects.toThrow("the checksum is");
  expect(existsSync(path.join(home, "asked"))).toBe(false);
  expect(await readdir(path.join(here.cache, "tools"))).toEqual([]);
});

test("what a killed installation left behind goes, other tools stay", async () => {
  const options = {
    places: here,
    progress,
    env: { PATH: `${await fakeGo(VERSION)}:${PATH}` },
    pins: withDownload(undefined),
  };
  const own = toolHome("regctl", options);
  await mkdir(`${own}.1234.part/build`, { recursive: true });
  await mkdir(`${toolHome("registry", options)}.1234.part`);
  await resolveTool("regctl", options);
  const left = [path.basename(own), `${path.basename(toolHome("registry", options))}.1234.part`];
  expect((await readdir(path.dirname(own))).sort()).toEqual(left);
});

test("a built tool that names another version is refused", async () => {
  const env = { PATH: `${await fakeGo("VCSTag: v0.0.1")}:${PATH}` };
  const options = { places: here, progress, env, pins: withDownload(undefined) };
  await expect(resolveTool("regctl", options)).rejects.toThrow(
    `does not say that it is version ${pins.regctl.version}`,
  );
  expect(await findTool("regctl", options)).toBeUndefined();
});

/** The head of an ELF file for a machine code. */
function elf(machine: number): Buffer {
  const head = Buffer.alloc(64);
  head.write("\x7fELF", "latin1");
  head.writeUInt16LE(machine, 18);
  return head;
}

test("a tool for another platform is not run and not looked for on PATH: its file must be for that platform", async () => {
  const other = platformName() === "linux-arm64" ? "linux-amd64" : "linux-arm64";
  const [right, wrong] = other === "linux-arm64" ? [0xb7, 0x3e] : [0x3e, 0xb7];
  const onPath = await program("right", "regctl", saying(VERSION));
  const { port } = server.address() as AddressInfo;
  const resolveFrom = (binary: Buffer) => {
    files.set("/file", binary);
    const downloads = { [other]: { url: `http://127.0.0.1:${port}/file`, sha256: sha256(binary) } };
    const env = { PATH: `${path.dirname(onPath)}:${PATH}` };
    const pinned = { ...pins, regctl: { ...pins.regctl, downloads } };
    return resolveTool("regctl", { places: here, progress, env, pins: pinned, platform: other });
  };
  await expect(resolveFrom(elf(wrong))).rejects.toThrow(`is no program for ${other}`);
  const tool = await resolveFrom(elf(right));
  expect(tool.source).toBe("download");
  expect(tool.path).toContain(`regctl-${pins.regctl.version}-${other}`);
});

test("a tool for another platform is built for it, by a Go that runs here", async () => {
  const other = platformName() === "linux-arm64" ? "linux-amd64" : "linux-arm64";
  const script = `#!/bin/sh
echo "$* $GOOS-$GOARCH" >> ${home}/asked
case "$*" in
  "env GOVERSION") echo go${pins.go.version} ;;
  "env GOROOT") echo ${home}/goroot ;;
  build*) while [ "$1" != -o ]; do shift; done; cp ${home}/elf "$2" ;;
esac
`;
  const go = path.dirname(await program("goroot/bin", "go", script));
  await writeFile(path.join(home, "elf"), elf(other === "linux-arm64" ? 0xb7 : 0x3e));
  await chmod(path.join(home, "elf"), 0o755);
  const env = { PATH: `${go}:${PATH}` };
  const tool = await resolveTool("regctl", {
    places: here,
    progress,
    env,
    pins: withDownload(undefined),
    platform: other,
  });
  expect(tool.source).toBe("built");
  expect(await readFile(path.join(home, "asked"), "utf8")).toMatch(new RegExp(`^build .* ${other}$`, "m"));
});

test("Go must match to the patch level", async () => {
  await program("near", "go", saying("go1.26.80"));
  const found = await findTool("go", { places: here, progress, env: { PATH: `${home}/near:${PATH}` } });
  expect(found).toBeUndefined();
});

test.each([
  ["OpenTofu v1.10.6\non linux_amd64", "1.10.6", true],
  ["OpenTofu v1.10.6-dev", "1.10.6", false],
  ["v3.0.0+unknown", "3.0.0", true],
  ["go1.26.8", "1.26.8", true],
  ["go1.26.80", "1.26.8", false],
  ["v13.253.0", "3.253.0", false],
  ["v2.1.10.6", "1.10.6", false],
  ["", "1.10.6", false],
])("%j names %s: %s", (printed, version, names) => {
  expect(namesVersion(printed, version)).toBe(names);
});
