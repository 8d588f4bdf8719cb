import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { packageClause, withPackageName } from "../../../../cache/multi-call/package-clause.ts";

const blank = fc.constantFrom(
  " ",
  "\t",
  "\n",
  "\r\n",
  "/* package x */",
  "/* a\n// b\n*/",
  "// package y\n",
  "//\n",
  "/**/",
);
const blanks = fc.array(blank, { maxLength: 5 }).map((all) => all.join(""));
const name = fc.constantFrom("main", "m", "größe", "_x1");

describe("packageClause", () => {
  it("finds the name wherever blanks and comments stand, and nothing else changes with it", () => {
    fc.assert(
      fc.property(fc.constantFrom("", "\uFEFF"), blanks, blanks, name, blanks, (mark, above, between, own, below) => {
        const head = `${mark}${above}package ${between}`;
        const tail = `${below}\nfunc main() { package_ := "package main" }\n`;
        const text = `${head}${own}${tail}`;
        const clause = packageClause(text);
        expect(clause?.name).toBe(own);
        expect(clause && withPackageName(text, clause, "other")).toBe(`${head}other${tail}`);
      }),
    );
  });

  it.each([
    ["nothing", ""],
    ["a comment alone", "// package main\n"],
    ["a comment without an end", "/* package main\n"],
    ["another word", "import main\n"],
    ["no name", "package"],
    ["a name that runs on", "packagemain\n"],
  ])("finds none in %s", (_, text) => {
    expect(packageClause(text)).toBeUndefined();
  });

  it("reads the debug settings above it, and none below", () => {
    const text =
      "// Words.\n//go:debug panicnil=1\n//go:debug\thttp2client=0 \n\npackage main\n\n//go:debug madvdontneed=1\n";
    expect(packageClause(text)?.debug).toEqual(["panicnil=1", "http2client=0"]);
  });

  it("takes a comment that names such a line for none", () => {
    expect(packageClause("// //go:debug a=1\n/*\n//go:debug b=1\n*/\npackage main\n")?.debug).toEqual([]);
  });
});
