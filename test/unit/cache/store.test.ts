import fc from "fast-check";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import {
  directoryBytes,
  exportEntries,
  FAR_FUTURE_SECONDS,
  linkFiles,
  readModuleMetadata,
  readModuleTree,
  replaceDirectory,
  requireFreeSpace,
  withFixedTime,
} from "../../../cache/store.ts";
import { actionEntry, compile, download, entriesOf, writeText } from "./cache-directory.ts";

let home: string;

beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), "kiln-store-"));
  return () => rm(home, { recursive: true });
});

const at = (...parts: readonly string[]) => path.join(home, ...parts);

describe("withFixedTime", () => {
  it("changes the time alone, to the same for all", () => {
    fc.assert(
      fc.property(fc.string(), fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), (pkg, time) => {
        const fixed = withFixedTime(actionEntry(pkg, time));
        expect(fixed).toBe(actionEntry(pkg, BigInt(FAR_FUTURE_SECONDS) * 1_000_000_000n));
        expect(withFixedTime(fixed)).toBe(fixed);
      }),
    );
  });

  it("is a time that Go can read, an entry of the length that Go expects", () => {
    const fixed = withFixedTime(actionEntry("a", 1));
    expect(fixed).toHaveLength(175);
    expect(BigInt(fixed.slice(-21).trim())).toBeLessThan(2n ** 63n);
    expect(FAR_FUTURE_SECONDS).toBe(4_102_444_800);
  });

  const sound = actionEntry("a", 1);
  it.each([
    ["", "nothing"],
    [sound.slice(0, -1), "no end of line"],
    [sound.slice(0, 100), "half of one"],
    [sound.replace("v1", "v2"), "another format"],
    [`${sound}${sound}`, "two"],
    [sound.replace(/[0-9a-f]{64}/, "z".repeat(64)), "no hash"],
  ])("refuses %j: %s", (entry) => {
    expect(() => withFixedTime(entry)).toThrow(/^not an action entry of Go's build cache: "/);
  });
});

describe("exportEntries", () => {
  it("links outputs, and writes actions anew without their time", async () => {
    const names = await compile(at("store"), "a");
    await compile(at("store"), "not asked for");
    await exportEntries(at("store"), at("out"), names);
    const { action, output } = entriesOf("a");
    expect(await filesOf("out")).toEqual([action, output].sort());
    expect((await stat(at("out", output))).ino).toBe((await stat(at("store", output))).ino);
    expect((await stat(at("out", action))).ino).not.toBe((await stat(at("store", action))).ino);
    expect(await readFile(at("out", action), "utf8")).toBe(withFixedTime(actionEntry("a", 1)));
  });

  it("gives equal bytes for equal work at different times, and leaves the store's own as they are", async () => {
    const { action } = entriesOf("a");
    const names = await compile(at("one"), "a");
    await compile(at("two"), "a");
    await writeFile(at("two", action), actionEntry("a", 42));
    await exportEntries(at("one"), at("out1"), names);
    await exportEntries(at("two"), at("out2"), names);
    expect(await readFile(at("out1", action))).toEqual(await readFile(at("out2", action)));
    expect(await readFile(at("two", action), "utf8")).toBe(actionEntry("a", 42));
  });

  it("refuses a damaged action", async () => {
    const names = await compile(at("store"), "a");
    await writeFile(at("store", entriesOf("a").action), "v1 ");
    await expect(exportEntries(at("store"), at("out"), names)).rejects.toMatchObject({ kind: "failed" });
  });
});

describe("replaceDirectory", () => {
  const fill = (text: string) => (partial: string) => writeText(path.join(partial, "manifest.json"), text);

  it.each([
    ["where there is none", () => Promise.resolve()],
    ["in place of an empty one", () => mkdir(at("out"))],
    ["in place of an older cache", () => writeText(at("out/go-build/aa/old"), "").then(() => fill("old")(at("out")))],
    ["over what an interrupted run left", () => writeText(at("out.partial/rest"), "")],
  ])("makes a directory %s", async (_, prepare) => {
    await prepare();
    await replaceDirectory(at("out"), fill("new"));
    expect(await readdir(home)).toEqual(["out"]);
    expect(await filesOf("out")).toEqual(["manifest.json"]);
    expect(await readFile(at("out/manifest.json"), "utf8")).toBe("new");
  });

  it("shows nothing at its place before it is whole", async () => {
    await replaceDirectory(at("out"), async (partial) => {
      await fill("new")(partial);
      await expect(stat(at("out"))).rejects.toThrow("ENOENT");
    });
    expect(await filesOf("out")).toEqual(["manifest.json"]);
  });

  it("keeps the old one, and nothing of the new one, when it cannot be filled", async () => {
    await replaceDirectory(at("out"), fill("old"));
    const failing = replaceDirectory(at("out"), async (partial) => {
      await fill("new")(partial);
      throw new Error("the disk is full");
    });
    await expect(failing).rejects.toThrow("the disk is full");
    expect(await readdir(home)).toEqual(["out"]);
    expect(await readFile(at("out/manifest.json"), "utf8")).toBe("old");
  });

  it("puts the old one back when the new one cannot take its place", async () => {
    await replaceDirectory(at("out"), fill("old"));
    const failing = replaceDirectory(at("out"), (partial) => rm(partial, { recursive: true }));
    await expect(failing).rejects.toThrow("ENOENT");
    expect(await readdir(home)).toEqual(["out"]);
    expect(await readFile(at("out/manifest.json"), "utf8")).toBe("old");
  });

  it.each([
    ["a directory with other files", ["notes.txt"]],
    ["a directory that also has a manifest.json", ["manifest.json", "index.html"]],
  ])("refuses to remove %s", async (_, names) => {
    for (const name of names) await writeText(at("out", name), "mine");
    await expect(replaceDirectory(at("out"), fill("new"))).rejects.toMatchObject({
      kind: "usage",
      message: `${at("out")} is neither empty nor a cache directory; kiln will not replace it`,
    });
    expect(await filesOf("out")).toEqual(names.toSorted());
    expect(await readdir(home)).toEqual(["out"]);
  });

  it("refuses to remove a file", async () => {
    await writeFile(at("out"), "mine");
    await expect(replaceDirectory(at("out"), fill("new"))).rejects.toMatchObject({ kind: "usage" });
    expect(await readFile(at("out"), "utf8")).toBe("mine");
  });
});

describe("requireFreeSpace", () => {
  it("says what is free and what is wanted", async () => {
    await expect(requireFreeSpace(at("store"), { KILN_MIN_FREE_GB: "1e9" })).rejects.toMatchObject({
      kind: "failed",
      message: expect.stringMatching(/^\S+store has \d+\.\d GB free; warming wants 1000000000\.0 GB$/) as string,
      mend: expect.stringContaining("KILN_MIN_FREE_GB") as string,
    });
  });

  it("is content with nothing when told so, and makes the folder", async () => {
    await requireFreeSpace(at("a/b"), { KILN_MIN_FREE_GB: "0" });
    expect((await stat(at("a/b"))).isDirectory()).toBe(true);
  });
});

describe("linkFiles", () => {
  it("gives the same files under the same names", async () => {
    await writeText(at("from/a/b/c"), "1");
    await writeText(at("from/d"), "2");
    await linkFiles(at("from"), at("to"), ["a/b/c", "d"]);
    expect(await filesOf("to")).toEqual(["a/b/c", "d"]);
    expect((await stat(at("to/a/b/c"))).ino).toBe((await stat(at("from/a/b/c"))).ino);
  });

  it("fails on a file that is not there, rather than leave it out", async () => {
    await mkdir(at("from"));
    await expect(linkFiles(at("from"), at("to"), ["a"])).rejects.toThrow("ENOENT");
  });
});

describe("a module in GOMODCACHE", () => {
  it("has a tree and as much metadata as there is", async () => {
    await download(at("mod"), "example.com/A@v1.0.0");
    await rm(at("mod/cache/download/example.com/!a/@v/v1.0.0.info"));
    await writeText(at("mod/cache/download/example.com/!a/@v/v1.0.0.zip"), "big");
    expect(await readModuleTree(at("mod"), "example.com/A@v1.0.0")).toEqual([
      "example.com/!a@v1.0.0/a.go",
      "example.com/!a@v1.0.0/internal/b.go",
    ]);
    expect(await readModuleMetadata(at("mod"), "example.com/A@v1.0.0")).toEqual([
      "cache/download/example.com/!a/@v/v1.0.0.mod",
      "cache/download/example.com/!a/@v/v1.0.0.ziphash",
    ]);
    expect(await readModuleMetadata(at("mod"), "example.com/gone@v1.0.0")).toEqual([]);
  });
});

describe("directoryBytes", () => {
  it("counts all files below", async () => {
    await writeText(at("a/b"), "123");
    await writeText(at("a/c/d"), "4567");
    expect(await directoryBytes(at("a"))).toBe(7);
  });
});

async function filesOf(folder: string): Promise<readonly string[]> {
  const entries = await readdir(at(folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(at(folder), path.join(entry.parentPath, entry.name)))
    .sort();
}
