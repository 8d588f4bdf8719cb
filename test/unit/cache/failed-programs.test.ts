import { describe, expect, it } from "vitest";
import { failedPrograms, firstCompilerError, requireMachineHeld } from "../../../cache/failed-programs.ts";

describe("firstCompilerError", () => {
  it.each([
    ["# example.com/x\n./main.go:3:2: undefined: y\n./main.go:4:2: more", "./main.go:3:2: undefined: y"],
    ["\n\n  # a\n# b\n  main.go:1:1: expected 'package'\n", "main.go:1:1: expected 'package'"],
    ["main.go:3:8: no required module provides package x", "main.go:3:8: no required module provides package x"],
    ["# example.com/x\n", "# example.com/x"],
    ["", ""],
  ])("of %j is %j", (text, error) => {
    expect(firstCompilerError(text)).toBe(error);
  });
});

describe("failedPrograms", () => {
  it("lays an error to every program that imports its package, with the modules that it needs", () => {
    const Module = { Path: "sdk.io/sdk", Version: "v1.0.0" };
    const packages = [
      { ImportPath: "sdk.io/sdk", Dir: "/sdk", Module, Error: { Err: "# sdk.io/sdk\na.go:1: bad" } },
      { ImportPath: "x/a", Dir: "/source/m/a", Imports: ["sdk.io/sdk"], DepsErrors: [{ Err: "later" }] },
      { ImportPath: "x/b", Dir: "/source/m/b" },
    ];
    const program = (directory: string) => ({ provider: "aws", module: "x", directory, goModule: "." });
    const failed = failedPrograms(packages, "/source", ["m/a", "m/b", "m/c"].map(program));
    expect([...failed]).toEqual([["m/a", { reason: "a.go:1: bad", goModules: ["sdk.io/sdk@v1.0.0"] }]]);
  });
});

describe("requireMachineHeld", () => {
  it.each([
    ["write /x: no space left on device", "the store /store or the folder for temporary files is full"],
    ["compile: signal: killed", "this machine has too little memory"],
    ["fatal error: runtime: out of memory", "this machine has too little memory"],
  ])("takes %j for no program's fault", (reason, message) => {
    expect(() => {
      requireMachineHeld(reason, "/store");
    }).toThrow(message);
  });

  it("leaves a compiler's errors to programs", () => {
    expect(() => {
      requireMachineHeld("main.go:1:1: undefined: killed", "/store");
    }).not.toThrow();
  });
});
