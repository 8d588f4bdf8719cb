import { describe, expect, it } from "vitest";
import { programGroups, type ProgramPackage } from "../../../../cache/multi-call/program-groups.ts";

const MODULE = "example.com/repo";

function packageAt(directory: string, given: Partial<ProgramPackage> = {}, goModule = "."): ProgramPackage {
  const importPath = directory === "." ? MODULE : `${MODULE}/${directory}`;
  const program = { provider: "aws", module: directory, directory, goModule };
  return { program, importPath, modulePath: MODULE, debug: [], ...given };
}

const summary = (...packages: ProgramPackage[]) =>
  programGroups(packages).map(({ goModule, home, members }) => ({
    ...{ goModule, home },
    members: members.map(({ program }) => program.directory),
  }));

describe("programGroups", () => {
  it("joins the programs of a module at its root, in the order of their directories", () => {
    const expected = [{ goModule: ".", home: "", members: [".", "a", "b/c"] }];
    expect(summary(packageAt("b/c"), packageAt("."), packageAt("a"))).toEqual(expected);
  });

  it("parts programs of several go.mod files", () => {
    const other = packageAt("x", { importPath: "other", modulePath: "other" }, "x");
    expect(summary(other, packageAt("a"))).toEqual([
      { goModule: ".", home: "", members: ["a"] },
      { goModule: "x", home: "", members: ["x"] },
    ]);
  });

  it("parts programs that want other debug settings", () => {
    const own = packageAt("b", { debug: ["panicnil=1"] });
    expect(
      programGroups([packageAt("a"), own, packageAt("c")]).map(({ debug, members }) => [debug, members.length]),
    ).toEqual([
      [[], 2],
      [["panicnil=1"], 1],
    ]);
  });

  it("joins at the parent of an internal folder what may be imported from there", () => {
    expect(summary(packageAt("apis/internal/a"), packageAt("b"), packageAt("apis/c/internal"))).toEqual([
      { goModule: ".", home: "apis/c", members: ["apis/c/internal", "apis/internal/a", "b"] },
    ]);
  });

  it("parts programs of internal folders that no one place may import", () => {
    expect(summary(packageAt("a/internal/x"), packageAt("b/internal/y"), packageAt("z"))).toEqual([
      { goModule: ".", home: "a", members: ["a/internal/x", "z"] },
      { goModule: ".", home: "b", members: ["b/internal/y"] },
    ]);
  });

  it("minds the last of several internal folders, and none in the path of the module itself", () => {
    expect(summary(packageAt("a/internal/b/internal/c"))[0]?.home).toBe("a/internal/b");
    const inside = { importPath: "example.com/internal/repo/a", modulePath: "example.com/internal/repo" };
    expect(summary(packageAt("a", inside))[0]?.home).toBe("");
  });
});
