import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { digestSources, readsFault, readsOf } from "../../../cache/program-reads.ts";
import { writeText } from "./cache-directory.ts";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

describe("digestSources", () => {
  it("is over names and digests of Go files, tests left out, in the order of bytes", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "kiln-program-reads-"));
    try {
      // In UTF-16 the first of these two comes after the second one.
      for (const name of [
        "\uFF61.go",
        "\u{1F600}.go",
        "main.go",
        "main_test.go",
        "Pulumi.yaml",
        "sub/more.go",
        "folder.go/x",
        ".#main.go",
      ]) {
        await writeText(path.join(folder, name), name);
      }
      const lines = ["main.go", "\uFF61.go", "\u{1F600}.go"].map((name) => `${name} ${sha256(name)}\n`);
      expect(await digestSources(folder)).toBe(sha256(lines.join("")));
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("readsOf", () => {
  it("names archives by their first digits, and none of the repository's own", () => {
    const name = (digit: string, type: string) => `${digit.repeat(2)}/${digit.repeat(64)}-${type}`;
    const objects = new Map([
      [name("2", "d"), { key: "fmt" }],
      [name("1", "d"), { key: "a/x@v1" }],
      [name("3", "d"), { key: "./lib" }],
      [name("5", "d"), { key: "not/read@v1" }],
    ]);
    const entries = [name("2", "a"), name("2", "d"), name("1", "d"), name("3", "d"), name("4", "d")];
    const main = { package: "m.example/x", sources: "0".repeat(64) };
    const reads = readsOf(main, entries, objects);
    expect(reads).toEqual({ ...main, archives: ["1".repeat(16), "2".repeat(16)] });
    expect(readsFault(reads)).toBeUndefined();
  });
});

describe("readsFault", () => {
  const sound = { package: "m", sources: "0".repeat(64), archives: ["a".repeat(16)] };
  it.each([null, [], { ...sound, package: 1 }, { ...sound, sources: "0" }, { ...sound, archives: ["../x"] }])(
    "refuses %j",
    (reads) => {
      expect(readsFault(reads)).toMatch(/note of what a program reads/);
    },
  );
});
