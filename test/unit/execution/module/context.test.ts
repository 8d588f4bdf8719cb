import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, symlink, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { buffer } from "node:stream/consumers";
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { extract, type Header } from "tar-stream";
import { contextArchive } from "../../../../execution/module/context-archive.ts";
import { contextDigest, readContext, staysInside } from "../../../../execution/module/context.ts";
import { moduleIgnore } from "../../../../execution/module/ignore.ts";

let home: string;

beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), "kiln-context-"));
  return () => rm(home, { recursive: true });
});

async function makeModule(files: Readonly<Record<string, string>>, name = "m"): Promise<string> {
  const directory = path.join(home, name);
  await mkdir(directory, { recursive: true });
  for (const [file, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(directory, file)), { recursive: true });
    await writeFile(path.join(directory, file), text);
  }
  return directory;
}

const read = (directory: string, ignore = "") => readContext(directory, moduleIgnore(ignore));
const names = async (directory: string, ignore = "") => (await read(directory, ignore)).map((entry) => entry.path);

async function archived(directory: string, added: Readonly<Record<string, string>> = {}): Promise<Buffer> {
  return buffer(contextArchive({ directory, entries: await read(directory), added }));
}

/** Headers and texts of an archive. */
async function unpacked(archive: Buffer): Promise<readonly { readonly header: Header; readonly text: string }[]> {
  const found: { header: Header; text: string }[] = [];
  const stream = extract();
  stream.on("entry", (header, content, next) => {
    void buffer(content).then((bytes) => {
      found.push({ header, text: bytes.toString() });
      next();
    });
  });
  await new Promise<void>((resolve, reject) => {
    stream.on("finish", resolve);
    stream.on("error", reject);
    stream.end(archive);
  });
  return found;
}

describe("readContext", () => {
  it("refuses a name that is not UTF-8, which Node reads as another one", async () => {
    const directory = await makeModule({ a: "" });
    await writeFile(Buffer.concat([Buffer.from(`${directory}/n`), Buffer.from([0xff])]), "");
    await expect(read(directory)).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringMatching(/is not UTF-8$/) as string,
    });
    expect(await names(directory, "n*")).toEqual(["a"]);
  });

  it("gives files and links, sorted, without what is ignored, and keeps dot-files", async () => {
    const files = {
      "b.ts": "",
      "a/z.ts": "",
      "a.ts": "",
      ".npmrc": "",
      ".terraform.lock.hcl": "",
      "node_modules/x": "",
    };
    expect(await names(await makeModule(files), "b.*\n")).toEqual([".npmrc", ".terraform.lock.hcl", "a.ts", "a/z.ts"]);
  });

  it("finds what `!` brings back below a folder that is left out", async () => {
    const directory = await makeModule({ "a/b/c.ts": "", "a/b/d.ts": "", "e.ts": "" });
    expect(await names(directory, "a\n!a/b/c.ts\n")).toEqual(["a/b/c.ts", "e.ts"]);
  });

  it("keeps links within the module as links, those to folders too", async () => {
    const directory = await makeModule({ "real/x": "text" });
    await symlink("real", path.join(directory, "folder"));
    await symlink("../real/x", path.join(directory, "real/up"));
    expect(await read(directory)).toEqual([
      { kind: "link", path: "folder", target: "real" },
      { kind: "link", path: "real/up", target: "../real/x" },
      { kind: "file", path: "real/x", executable: false, size: 4 },
    ]);
  });

  it.each(["/etc/passwd", "../outside", "a/../../outside", ".."])("refuses a link to %s", async (target) => {
    const directory = await makeModule({});
    await symlink(target, path.join(directory, "link"));
    await expect(read(directory)).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining(target) as string,
    });
    expect(await names(directory, "link")).toEqual([]);
  });

  it("refuses what is neither file, link nor folder, unless it is ignored", async () => {
    const directory = await makeModule({});
    execFileSync("mkfifo", [path.join(directory, "pipe")]);
    await expect(read(directory)).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining("pipe") as string,
    });
    expect(await names(directory, "pipe")).toEqual([]);
  });

  it("refuses a module that has the folder of the build", async () => {
    const directory = await makeModule({ ".kiln-module/Dockerfile": "" });
    await expect(read(directory)).rejects.toMatchObject({ kind: "usage" });
  });

  it("knows which links stay inside", () => {
    expect(["a", "./a", "b/../a"].every((target) => staysInside("x/y", target))).toBe(true);
    expect(staysInside("x/y", "../../z")).toBe(false);
    expect(staysInside("x", "../xy")).toBe(false);
  });
});

describe("contextDigest and contextArchive", () => {
  it("are the same wherever and whenever the same module stands, in whatever order it was written", async () => {
    const file = fc.tuple(fc.constantFrom("a", "b/c", "b/d", "e/f/g", ".h", "z-z", "Ä"), fc.string());
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(file, { selector: ([name]) => name }),
        fc.nat(2_000_000_000),
        async (files, time) => {
          const one = await makeModule(Object.fromEntries(files), `one-${++run}`);
          const two = await makeModule(Object.fromEntries([...files].reverse()), `deep/er/two-${run}`);
          for (const [name] of files) {
            await utimes(path.join(two, name), time, time);
            await chmod(path.join(two, name), 0o600);
          }
          expect(await contextDigest(two, await read(two))).toBe(await contextDigest(one, await read(one)));
          expect((await archived(two)).equals(await archived(one))).toBe(true);
        },
      ),
      { numRuns: 25 },
    );
  });

  it("tell modules apart that differ in a name, a content, a link or the right to execute", async () => {
    const digest = async (directory: string) => contextDigest(directory, await read(directory));
    const first = await makeModule({ a: "1", b: "2" });
    const seen = [await digest(first)];
    await writeFile(path.join(first, "a"), "1!");
    seen.push(await digest(first));
    await chmod(path.join(first, "a"), 0o755);
    seen.push(await digest(first));
    await symlink("a", path.join(first, "c"));
    seen.push(await digest(first));
    await rm(path.join(first, "c"));
    await symlink("b", path.join(first, "c"));
    seen.push(await digest(first));
    seen.push(
      await digest(await makeModule({ a: "12", b: "" }, "n")),
      await digest(await makeModule({ ab: "12" }, "o")),
    );
    expect(new Set(seen).size).toBe(seen.length);
  });

  it("owns every file as root, dates it alike and lets nobody else write it", async () => {
    const directory = await makeModule({ "b/run.sh": "#!/bin/sh\n", "b/x": "text" });
    await chmod(path.join(directory, "b/run.sh"), 0o777);
    await chmod(path.join(directory, "b/x"), 0o666);
    await symlink("x", path.join(directory, "b/y"));
    const entries = await unpacked(await archived(directory, { ".kiln-module/Dockerfile": "FROM x\n" }));
    const facts = entries.map(({ header, text }) => [header.name, header.type, header.mode.toString(8), text]);
    expect(facts).toEqual([
      [".kiln-module/", "directory", "755", ""],
      ["b/", "directory", "755", ""],
      [".kiln-module/Dockerfile", "file", "644", "FROM x\n"],
      ["b/run.sh", "file", "755", "#!/bin/sh\n"],
      ["b/x", "file", "644", "text"],
      ["b/y", "symlink", "777", ""],
    ]);
    for (const { header } of entries) {
      expect([header.uid, header.gid, header.mtime.toISOString()]).toEqual([0, 0, "1980-01-01T00:00:00.000Z"]);
    }
  });

  it.each(["longer than before", "s", ""])("fails where a file changes under it: %j", async (text) => {
    const directory = await makeModule({ a: "as it was" });
    const entries = await read(directory);
    await writeFile(path.join(directory, "a"), text);
    const stream = contextArchive({ directory, entries, added: {} });
    await expect(buffer(stream)).rejects.toMatchObject({
      kind: "failed",
      message: expect.stringMatching(/changed/) as string,
    });
  });

  it("holds no file in memory: it comes in pieces", async () => {
    const directory = await makeModule({ a: "" });
    await truncate(path.join(directory, "a"), 64 * 1024 * 1024);
    const stream = contextArchive({ directory, entries: await read(directory), added: {} });
    let [bytes, longest] = [0, 0];
    for await (const chunk of stream) {
      bytes += (chunk as Buffer).length;
      longest = Math.max(longest, (chunk as Buffer).length);
    }
    expect(bytes).toBeGreaterThan(64 * 1024 * 1024);
    expect(longest).toBeLessThan(1024 * 1024);
  });
});
