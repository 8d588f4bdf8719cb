import path from "node:path";
import { describe, expect, it } from "vitest";
import type { ProgramBuild } from "../../../../cache/explain/differences.ts";
import { askedVersion, readPresentBuild } from "../../../../cache/explain/program-build.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";
import { CONTRACT, sha256, writeText } from "../cache-directory.ts";

describe("askedVersion", () => {
  const GO_MOD = `module example.com/x

go 1.26

require one.io/single v1.0.0 // indirect
require (
	two.io/block v2.0.0
	// two.io/comment v9.0.0
	two.io/block/nested v2.1.0 // indirect
	four.io/local v1.0.0
	four.io/fork v1.0.0
)

replace four.io/local => ../local
replace (
	four.io/fork v1.0.0 => five.io/fork v1.5.0
)
`;

  it.each([
    ["one.io/single", "v1.0.0"],
    ["two.io/block", "v2.0.0"],
    ["two.io/block/nested", "v2.1.0"],
    ["two.io/comment", undefined],
    ["two.io", undefined],
    ["two.io/bl.ck", undefined],
    ["four.io/local", "=> ../local"],
    ["four.io/fork", "=> five.io/fork@v1.5.0"],
  ])("of %s is %s", (module, version) => {
    expect(askedVersion(GO_MOD, module)).toBe(version);
  });
});

describe("readPresentBuild", () => {
  const before = (source: string): ProgramBuild => ({
    contract: CONTRACT,
    goFiles: { "go.mod": { go: "1.26" } },
    modules: { "sdk.io/aws": "v1.0.0", "sdk.io/deep": "v1.0.0" },
    packages: [["m/bucket", { "main.go": sha256(source), "gone.go": "1" }]],
  });

  it("reads go.mod and the files of the warming where Go lists nothing", async () => {
    const source = await temporaryDirectory();
    await writeText(path.join(source, "go.mod"), "module x\n\ngo 1.25\n\nrequire sdk.io/aws v1.1.0\n");
    await writeText(path.join(source, "m/bucket/main.go"), source);
    const site = { root: source, go: () => Promise.reject(new Error("not asked again")) };
    expect(await readPresentBuild(site, CONTRACT, source, "m/bucket", [], before(source))).toEqual({
      contract: CONTRACT,
      goFiles: { "go.mod": { go: "1.25" } },
      modules: { "sdk.io/aws": "v1.1.0" },
      packages: [["m/bucket", { "main.go": sha256(source) }]],
    });
  });

  it("takes from go.mod the version of a module that Go cannot have offline", async () => {
    const source = await temporaryDirectory();
    await writeText(path.join(source, "go.mod"), "module x\n\ngo 1.26\n\nrequire sdk.io/aws v1.1.0\n");
    await writeText(path.join(source, "m/bucket/main.go"), "package main\n");
    const site = { root: source, go: () => Promise.reject(new Error("not asked again")) };
    const listed = [
      { ImportPath: "sdk.io/aws/s3", Error: { Err: "module lookup disabled" } },
      {
        ImportPath: "x/m/bucket",
        Name: "main",
        Dir: path.join(source, "m/bucket"),
        Module: { Path: "x", GoMod: path.join(source, "go.mod") },
        GoFiles: ["main.go"],
        Imports: ["sdk.io/aws/s3"],
      },
    ];
    const found = await readPresentBuild(site, CONTRACT, source, "m/bucket", listed, before(source));
    expect(found.modules).toEqual({ "sdk.io/aws": "v1.1.0" });
    expect(found.packages).toEqual([["m/bucket", { "main.go": sha256("package main\n") }]]);
  });
});
