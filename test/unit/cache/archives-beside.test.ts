import { mkdtemp, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { chooseArchives, withArchivesBeside } from "../../../cache/archives-beside.ts";
import { partition } from "../../../cache/layers.ts";
import type { CacheManifest } from "../../../cache/manifest.ts";
import { EMPTY_MANIFEST, writeText } from "./cache-directory.ts";

const MIB = 1024 ** 2;

const named = (digit: string) => `${digit.repeat(2)}/${digit.repeat(64)}-d`;
const program = (...digits: readonly string[]) => ({
  ...{ action: "a", output: "d", bytes: 1 },
  reads: { package: "m", sources: "s", archives: digits.map((digit) => digit.repeat(16)) },
});

/** Which archives of these sizes (MiB, by the digit that their names are made of) are chosen. */
function chosen(sizes: Readonly<Record<string, number>>, programs: CacheManifest["programs"]): string {
  const bytes = new Map(Object.entries(sizes).map(([digit, size]) => [named(digit), size * MIB]));
  const objects = Object.fromEntries([...bytes.keys()].map((name) => [name, "fmt"]));
  return [...chooseArchives({ programs, objects }, bytes)].map((name) => name[0]).join("");
}

describe("chooseArchives", () => {
  it("takes large archives that all programs link", () => {
    const sizes = { 1: 20, 2: 2, 3: 1, 4: 2900 };
    expect(chosen(sizes, { a: program("1", "2", "3"), b: program("1", "2", "3", "4") })).toBe("12");
  });

  it("takes smaller ones where there are more bytes of archives, and none of a small cache", () => {
    const all = { a: program("1", "2", "3", "4") };
    expect(chosen({ 1: 2000, 2: 20 }, all)).toBe("");
    expect(chosen({ 1: 2100, 2: 20, 3: 2, 4: 1 }, all)).toBe("123");
    expect(chosen({ 1: 4200, 2: 20, 3: 2, 4: 1 }, all)).toBe("1234");
  });

  it("takes none where it is not known what a program reads", () => {
    const unknown = { action: "a", output: "d", bytes: 1 };
    expect(chosen({ 1: 3000 }, { a: program("1"), b: unknown })).toBe("");
    expect(chosen({ 1: 3000 }, {})).toBe("");
  });
});

describe("withArchivesBeside", () => {
  it("says it in the layer that has the archive", async () => {
    const cache = await mkdtemp(path.join(tmpdir(), "kiln-archives-beside-"));
    try {
      await writeText(path.join(cache, "go-build", named("1")), "");
      await truncate(path.join(cache, "go-build", named("1")), 3000 * MIB);
      const reads = { goBuild: [named("1")], goMod: [], sources: [] };
      const manifest = {
        ...EMPTY_MANIFEST,
        closures: { aws: reads, gcp: reads, civo: { ...reads, goBuild: [named("2"), named("1")] } },
        objects: { [named("1")]: "fmt" },
        programs: { a: program("1") },
      };
      const layers = await withArchivesBeside(cache, manifest, partition(manifest));
      expect(layers.map(({ name, beside }) => [name, beside])).toEqual([
        ["common", [named("1")]],
        ["civo", []],
      ]);
    } finally {
      await rm(cache, { recursive: true });
    }
  });
});
