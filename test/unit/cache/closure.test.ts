import fc from "fast-check";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { escapeModule, moduleFiles, modulesOfGoSum, readEntries } from "../../../cache/closure.ts";
import { compile, sha256, writeText } from "./cache-directory.ts";

let cache: string;

beforeEach(async () => {
  cache = await mkdtemp(path.join(tmpdir(), "kiln-closure-"));
  return () => rm(cache, { recursive: true });
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
