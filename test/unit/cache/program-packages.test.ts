import { describe, expect, it } from "vitest";
import type { ListedPackage } from "../../../cache/go/list.ts";
import { modulesOf, objectsOf, packagesOf, sourcesOf } from "../../../cache/program-packages.ts";
import { sha256 } from "./cache-directory.ts";

const archive = (name: string) => `/var/cache/go-build/${sha256(name).slice(0, 2)}/${sha256(name)}-d`;
const nameOf = (name: string) => archive(name).slice("/var/cache/go-build/".length);

const LISTED: readonly ListedPackage[] = [
  { ImportPath: "fmt", Standard: true, Dir: "/usr/local/go/src/fmt", GoFiles: ["print.go"], Export: archive("fmt") },
  {
    ...{ ImportPath: "sdk.io/SDK/x", Dir: "/var/cache/go-mod/sdk.io/!s!d!k@v1.0.0/x", Export: archive("sdk") },
    ...{ Module: { Path: "sdk.io/SDK", Version: "v1.0.0" }, Imports: ["fmt"] },
    ...{ GoFiles: ["b.go", "a.go"], HFiles: ["a.h"], EmbedFiles: ["data/x.json"], SysoFiles: ["x.syso"] },
    ...{ SFiles: ["a.s"], IgnoredGoFiles: ["a_windows.go"] },
  },
  {
    ...{ ImportPath: "old.io/x", Dir: "/var/cache/go-mod/new.io/x@v2.0.0", GoFiles: ["x.go"], Export: archive("x") },
    Module: { Path: "old.io/x", Version: "v1.0.0", Replace: { Path: "new.io/x", Version: "v2.0.0" } },
  },
  {
    ...{ ImportPath: "v.io/v", Dir: "/source/vendor/v.io/v", GoFiles: ["v.go"] },
    Module: { Path: "v.io/v", Version: "v3.0.0" },
  },
  { ImportPath: "m/one", Dir: "/source/one", GoFiles: ["main.go"], Imports: ["sdk.io/SDK/x"], Export: archive("one") },
  { ImportPath: "m/two", Dir: "/source/two", GoFiles: ["main.go"], Imports: ["old.io/x", "v.io/v"] },
];
const LISTINGS = { root: "/source", byGoModule: new Map([[".", LISTED]]) };
const program = (directory: string) => ({ provider: "aws", module: "x", directory, goModule: "." });
const names = (packages: readonly ListedPackage[]) => packages.map(({ ImportPath }) => ImportPath).sort();

describe("packagesOf", () => {
  it("has what builds of programs compile, and nothing of others", () => {
    expect(names(packagesOf(LISTINGS, [program("one")]))).toEqual(["fmt", "m/one", "sdk.io/SDK/x"]);
    expect(names(packagesOf(LISTINGS, [program("one"), program("two")]))).toEqual(names(LISTED));
    expect(packagesOf(LISTINGS, [program("none"), { ...program("one"), goModule: "other" }])).toEqual([]);
  });
});

describe("sourcesOf", () => {
  it("has every kind of file that is compiled, below the module cache alone", () => {
    expect(sourcesOf(LISTED)).toEqual([
      "new.io/x@v2.0.0/x.go",
      ...["a.go", "a.h", "a.s", "b.go", "data/x.json", "x.syso"].map((file) => `sdk.io/!s!d!k@v1.0.0/x/${file}`),
    ]);
  });
});

describe("modulesOf", () => {
  it("names what is really read: the replacement, and nothing that is vendored", () => {
    expect(modulesOf(LISTED)).toEqual(["new.io/x@v2.0.0", "sdk.io/SDK@v1.0.0"]);
  });
});

describe("objectsOf", () => {
  it("keys archives as the build graph does", () => {
    expect([...objectsOf(LISTINGS)].map(([name, { key, importPath }]) => [name, key, importPath])).toEqual([
      [nameOf("fmt"), "fmt", "fmt"],
      [nameOf("sdk"), "sdk.io/SDK/x@v1.0.0", "sdk.io/SDK/x"],
      [nameOf("x"), "old.io/x@v2.0.0", "old.io/x"],
      [nameOf("one"), "./one", "m/one"],
    ]);
  });
});
