import fc from "fast-check";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { compareGoVersions, goDirectives, readNewerGo } from "../../../../cache/go/directives.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";
import { writeText } from "../cache-directory.ts";

describe("goDirectives", () => {
  it.each<[string, string, ReturnType<typeof goDirectives>]>([
    ["a go line", "module example.com/x\n\ngo 1.25.0\n", { go: "1.25.0" }],
    ["both", "module x\n\ngo 1.25\n\ntoolchain go1.26.1\n", { go: "1.25", toolchain: "go1.26.1" }],
    [
      "lines that end in CRLF",
      "module x\r\n\r\ngo 1.25\r\ntoolchain go1.26.1\r\n",
      { go: "1.25", toolchain: "go1.26.1" },
    ],
    ["a comment behind", "go 1.25 // for iterators\n", { go: "1.25" }],
    ["blanks before and between", "  go\t1.25\n\ttoolchain   go1.26.1\n", { go: "1.25", toolchain: "go1.26.1" }],
    ["toolchain default", "go 1.25\n\ntoolchain default\n", { go: "1.25", toolchain: "default" }],
    ["a comment alone", "// go 1.99\nmodule x\n// toolchain go1.99.0\n", {}],
    ["a module whose path begins like them", "require (\n\tgo.uber.org/zap v1.27.0\ngo.x/y v1.0.0\n)\n", {}],
    ["nothing", "", {}],
  ])("reads %s", (_, text, directives) => {
    expect(goDirectives(text)).toEqual(directives);
  });
});

describe("compareGoVersions", () => {
  /** In the order of `go/version` of Go 1.26. Below 1.21 a version without a patch is its first release. */
  const ORDERED = [
    ...["default", "1.19", "1.20beta1", "1.20rc1", "1.20", "1.20.1", "1.21", "1.21beta1", "1.21rc1", "1.21rc2"],
    ...["1.21.0", "1.21.1", "1.21.9", "1.21.10", "1.22", "1.22rc1", "1.22.0", "1.26.8", "2.0"],
  ];

  it("orders versions as Go does", () => {
    const place = fc.nat(ORDERED.length - 1);
    fc.assert(
      fc.property(place, place, fc.boolean(), (left, right, prefixed) => {
        const [a = "", b = ""] = [ORDERED[left], ORDERED[right]];
        expect(Math.sign(compareGoVersions(prefixed ? `go${a}` : a, b))).toBe(Math.sign(left - right));
      }),
      { numRuns: 1000 },
    );
  });

  it("sorts any shuffled list back", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(ORDERED, { minLength: ORDERED.length }), (shuffled) => {
        expect(shuffled.toSorted(compareGoVersions)).toEqual(ORDERED);
      }),
    );
  });

  it.each([
    ["1.20", "go1.20.0"],
    ["go1.26.8", "go1.26.8-custom"],
    ["local", "default"],
    ["", "nonsense"],
  ])("takes %s and %s for equals", (left, right) => {
    expect(Math.sign(compareGoVersions(left, right))).toBe(0);
    expect(Math.sign(compareGoVersions(right, left))).toBe(0);
  });
});

describe("readNewerGo", () => {
  const newer = async (goModule: string, files: Readonly<Record<string, string>>) => {
    const source = await temporaryDirectory();
    for (const [file, text] of Object.entries(files)) await writeText(path.join(source, file), text);
    return readNewerGo(source, goModule, "go1.26.8");
  };

  it.each<[string, string]>([
    ["an older go", "go 1.25\n"],
    ["the same", "go 1.26.8\n\ntoolchain go1.26.8\n"],
    ["only the language version", "go 1.26\n"],
    ["toolchain default", "go 1.26.8\n\ntoolchain default\n"],
    ["nothing", ""],
  ])("finds nothing in a go.mod with %s", async (_, text) => {
    expect(await newer("app", { "app/go.mod": text })).toBeUndefined();
  });

  it.each<[string, string, string]>([
    ["a newer patch", "go 1.26.9\n", "go 1.26.9"],
    ["a newer language", "go 1.27\r\n", "go 1.27"],
    ["a release candidate", "go 1.27rc1\n", "go 1.27rc1"],
    ["a newer toolchain", "go 1.25\n\ntoolchain go1.27.0\n", "toolchain go1.27.0"],
  ])("names file and line of %s, and what to do", async (_, text, line) => {
    expect(await newer("app", { "app/go.mod": text })).toBe(
      `app/go.mod has the line "${line}", which is newer than the image's go1.26.8: lower it, or raise Go in toolchain/pins.json`,
    );
  });

  it("reads the go.work above as well, and no other", async () => {
    const files = { "a/b/go.mod": "go 1.25\n", "a/go.work": "go 1.25\n\ntoolchain go1.27.0\n", "go.work": "go 1.99\n" };
    expect(await newer("a/b", files)).toMatch(/^a\/go\.work has the line "toolchain go1\.27\.0"/);
    expect(await newer("a/b", { ...files, "a/go.work": "go 1.25\n" })).toBeUndefined();
  });

  it("finds nothing where there is no go.mod: Go says so itself", async () => {
    expect(await newer("app", {})).toBeUndefined();
  });
});
