import fc from "fast-check";
import { mkdir, mkdtemp, rm, stat, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { entriesUsedBy, escapeModule, moduleFiles, modulesOfGoSum, readEntries } from "../../../cache/closure.ts";
import { compile, sha256, writeText } from "./cache-directory.ts";

let cache: string;

beforeEach(async () => {
  cache = await mkdtemp(path.join(tmpdir(), "kiln-closure-"));
  return () => rm(cache, { recursive: true });
});

/** What Go does with an entry that it reads: a new time, but only where the old one is more than an hour ago (cache.go). */
async function markUsed(name: string): Promise<void> {
  const file = path.join(cache, name);
  const { mtimeMs } = await stat(file);
  if (Date.now() - mtimeMs >= 3_600_000) await utimes(file, new Date(), new Date());
}

describe("entriesUsedBy", () => {
  it.each([
    ["seconds", 5],
    ["half an hour", 1_800],
    ["an hour and a half", 5_400],
    ["three hours", 10_800],
    ["a week", 7 * 86_400],
    ["minus a century, as shipped entries are,", -100 * 365 * 86_400],
  ])("finds exactly what a build reads or adds in a cache %s old", async (_, age) => {
    const [read, other] = [await compile(cache, "read"), await compile(cache, "other")];
    const then = Date.now() / 1000 - age;
    for (const name of [...read, ...other]) await utimes(path.join(cache, name), then, then);
    let added: readonly string[] = [];
    const used = await entriesUsedBy(cache, async () => {
      for (const name of read) await markUsed(name);
      added = await compile(cache, "added");
    });
    expect(used).toEqual([...read, ...added].sort());
  });

  it("leaves entries older than five days as old as they are, and makes none so old", async () => {
    const [old = ""] = await compile(cache, "old");
    const [young = ""] = await compile(cache, "young");
    await utimes(path.join(cache, old), 1_000_000_000, 1_000_000_000);
    expect(await entriesUsedBy(cache, () => Promise.resolve())).toEqual([]);
    expect((await stat(path.join(cache, old))).mtimeMs).toBe(1_000_000_000_000);
    const age = Date.now() - (await stat(path.join(cache, young))).mtimeMs;
    expect(age).toBeGreaterThan(3_600_000);
    expect(age).toBeLessThan(24 * 3_600_000);
  });

  it("gives the same again for the same build", async () => {
    const read = await compile(cache, "read");
    await compile(cache, "other");
    const build = async () => {
      for (const name of read) await markUsed(name);
    };
    const first = await entriesUsedBy(cache, build);
    expect(await entriesUsedBy(cache, build)).toEqual(first);
    expect(first).toEqual([...read].sort());
  });

  it("passes a build's failure on", async () => {
    await expect(entriesUsedBy(cache, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  });
});

describe("readEntries", () => {
  it("sees actions and outputs, not link results, logs or strangers", async () => {
    const names = await compile(cache, "a");
    const link = sha256("link");
    await writeText(path.join(cache, `${link.slice(0, 2)}/${link}-d`, "program"), "ELF");
    await writeText(path.join(cache, "trim.txt"), "1");
    await writeText(path.join(cache, "README"), "");
    await writeText(path.join(cache, "fuzz/aa/x"), "");
    await writeText(path.join(cache, `ab/${sha256("x")}-d.partial`), "");
    await mkdir(path.join(cache, "00"), { recursive: true });
    expect(await readEntries(cache)).toEqual([...names].sort());
  });
});

describe("modulesOfGoSum", () => {
  it("names each version whose go.mod is listed, once and sorted", () => {
    const text = [
      "github.com/b/b v1.0.0 h1:abc=",
      "github.com/b/b v1.0.0/go.mod h1:abc=",
      "github.com/A/a v0.0.0-20240101000000-abcdefabcdef/go.mod h1:abc=",
      "github.com/b/b v1.0.0/go.mod h1:abc=",
      "github.com/c/c v2.0.0+incompatible h1:abc=",
      "",
      "not a line",
    ];
    expect(modulesOfGoSum(text.join("\n"))).toEqual([
      "github.com/A/a@v0.0.0-20240101000000-abcdefabcdef",
      "github.com/b/b@v1.0.0",
    ]);
    expect(modulesOfGoSum("")).toEqual([]);
  });
});

describe("module paths", () => {
  it.each([
    ["github.com/Azure/azure-sdk", "github.com/!azure/azure-sdk"],
    ["ABC", "!a!b!c"],
    ["v1.0.0-RC1", "v1.0.0-!r!c1"],
    ["golang.org/x/net", "golang.org/x/net"],
  ])("%s is %s on disk", (name, escaped) => {
    expect(escapeModule(name)).toBe(escaped);
  });

  it("never meet on a file system that ignores case", () => {
    const name = fc.stringMatching(/^[a-zA-Z0-9._~/-]{1,12}$/);
    fc.assert(
      fc.property(name, name, (a, b) => {
        expect(escapeModule(a).toLowerCase() === escapeModule(b).toLowerCase()).toBe(a === b);
      }),
    );
  });

  it("are where Go puts them", () => {
    expect(moduleFiles("github.com/Azure/sdk/v2@v2.1.0-Beta.1+incompatible")).toEqual({
      tree: "github.com/!azure/sdk/v2@v2.1.0-!beta.1+incompatible",
      download: "cache/download/github.com/!azure/sdk/v2/@v/v2.1.0-!beta.1+incompatible",
    });
  });
});
