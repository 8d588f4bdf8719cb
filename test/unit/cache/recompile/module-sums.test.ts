import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkModules, hash1, moduleSums } from "../../../../cache/recompile/module-sums.ts";
import { sha256, writeText } from "../cache-directory.ts";

let cache = "";
beforeAll(async () => {
  cache = await mkdtemp(path.join(tmpdir(), "kiln-module-sums-"));
});
afterAll(() => rm(cache, { recursive: true, force: true }));

describe("moduleSums", () => {
  it("reads sums of files, and not those of go.mod alone", () => {
    const text =
      "example.com/A v1.0.0 h1:abc=\nexample.com/A v1.0.0/go.mod h1:def=\nexample.com/b v2.0.0/go.mod h1:ghi=\n";
    expect(moduleSums([text])).toEqual(new Map([["example.com/A@v1.0.0", "h1:abc="]]));
  });
});

describe("hash1", () => {
  it("is what the documentation of go.sum describes, whatever the order of the files", () => {
    const [a, b] = [sha256("a"), sha256("b")];
    const expected = `h1:${Buffer.from(sha256(`${a}  m@v1/a\n${b}  m@v1/b\n`), "hex").toString("base64")}`;
    expect(
      hash1(
        new Map([
          ["m@v1/b", b],
          ["m@v1/a", a],
        ]),
      ),
    ).toBe(expected);
  });
});

describe("checkModules", () => {
  it("names a module one of whose files is another, and passes over those that are not there", async () => {
    await writeText(path.join(cache, "example.com/!a@v1.0.0/go.mod"), "module example.com/A\n");
    await writeText(path.join(cache, "example.com/!a@v1.0.0/sub/a.go"), "package a\n");
    const sum = hash1(
      new Map([
        ["example.com/A@v1.0.0/go.mod", sha256("module example.com/A\n")],
        ["example.com/A@v1.0.0/sub/a.go", sha256("package a\n")],
      ]),
    );
    const sums = new Map([
      ["example.com/A@v1.0.0", sum],
      ["example.com/gone@v1.0.0", "h1:x"],
    ]);
    expect(await checkModules(cache, sums)).toEqual({ modules: 1, foreign: [] });
    await writeText(path.join(cache, "example.com/!a@v1.0.0/sub/a.go"), "package b\n");
    const { foreign } = await checkModules(cache, sums);
    expect(foreign).toMatchObject([{ module: "example.com/A@v1.0.0", expected: sum }]);
  });
});
