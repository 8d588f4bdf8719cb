import fc from "fast-check";
import type { setTimeout } from "node:timers/promises";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { rm, symlink } from "node:fs/promises";
import path from "node:path";
import { buildContract, IMAGE_PATHS } from "../../../cache/contract.ts";
import { runGo, type GoMounts } from "../../../cache/go/command.ts";
import { parseJsonStream } from "../../../cache/go/list.ts";
import { closureOf, packageArguments, readGraph, type Package } from "../../../cache/graph.ts";
import type { Program } from "../../../cache/programs.ts";
import { silent } from "../../../progress.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { writeText } from "./cache-directory.ts";

vi.mock(import("../../../cache/go/command.ts"), async (original) => ({ ...(await original()), runGo: vi.fn() }));
// Attempts follow each other at once.
vi.mock(import("node:timers/promises"), async (original) => {
  const now: unknown = () => Promise.resolve();
  return { ...(await original()), setTimeout: now as typeof setTimeout };
});

function graphOf(edges: Readonly<Record<string, readonly string[]>>): ReadonlyMap<string, Package> {
  return new Map(
    Object.entries(edges).map(([importPath, imports]) => [
      importPath,
      { importPath, standard: false, main: false, imports, sourceBytes: 0 },
    ]),
  );
}

describe("closureOf", () => {
  it("holds the roots and all that they import, once", () => {
    const packages = graphOf({ a: ["b", "c"], b: ["d"], c: ["d"], d: [], e: ["a"] });
    expect([...closureOf(packages, ["a"])].sort()).toEqual(["a", "b", "c", "d"]);
    expect([...closureOf(packages, ["b", "c"])].sort()).toEqual(["b", "c", "d"]);
    expect([...closureOf(packages, [])]).toEqual([]);
  });

  it("ends on cycles and on packages that nobody listed", () => {
    expect([...closureOf(graphOf({ a: ["b"], b: ["a", "unknown"] }), ["a"])].sort()).toEqual(["a", "b", "unknown"]);
  });

  it("is closed: what a member imports is a member", () => {
    const node = fc.constantFrom("a", "b", "c", "d", "e", "f");
    fc.assert(
      fc.property(fc.dictionary(node, fc.array(node)), fc.array(node), (edges, roots) => {
        const packages = graphOf(edges);
        const closure = closureOf(packages, roots);
        for (const root of roots) expect(closure.has(root)).toBe(true);
        for (const name of closure)
          for (const next of packages.get(name)?.imports ?? []) expect(closure.has(next)).toBe(true);
      }),
    );
  });
});

describe("parseJsonStream", () => {
  it("reads back documents as `go list -json` prints them", () => {
    const document = fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 });
    fc.assert(
      fc.property(fc.array(document), (documents) => {
        const text = documents.map((value) => `${JSON.stringify(value, null, "\t")}\n`).join("");
        expect(parseJsonStream(text)).toEqual(JSON.parse(JSON.stringify(documents)));
      }),
    );
  });

  it("is not misled by braces inside", () => {
    const documents = [{ Error: { Err: "expected '}'\n}\n{", Pos: {} } }, { Module: { Replace: { Path: "{}" } } }];
    expect(parseJsonStream(documents.map((value) => JSON.stringify(value, null, "\t")).join("\n"))).toEqual(documents);
  });

  it("gives nothing for nothing", () => {
    expect(parseJsonStream("")).toEqual([]);
    expect(parseJsonStream("\n")).toEqual([]);
  });
});

describe("packageArguments", () => {
  it.each([
    [".", "m/aws/vpc", "./m/aws/vpc"],
    ["m/aws", "m/aws/vpc", "./vpc"],
    ["m/aws/vpc", "m/aws/vpc", "./"],
    [".", ".", "./"],
  ])("from %s, %s is %s", (goModule, directory, argument) => {
    expect(packageArguments([{ provider: "p", module: "m", goModule, directory }])).toEqual([argument]);
  });
});

describe("readGraph", () => {
  const contract = buildContract({ go: "1.26.8", pulumi: "3.253.0" }, "amd64");
  const programIn = (goModule: string, directory: string): Program => ({
    ...{ provider: "p", module: "x", goModule },
    directory,
  });
  const [aws, gcp] = [programIn(".", "m/aws/x"), programIn(".", "m/gcp/x")];

  let source: string;
  let mounts: GoMounts;

  beforeEach(async () => {
    source = await temporaryDirectory();
    mounts = { contract, goRoot: `${source}/go`, goModCache: `${source}/mod`, goBuildCache: `${source}/build` };
    await writeText(path.join(source, "mod/example.com/sdk@v1.0.0/sdk.go"), "x".repeat(1000));
    vi.mocked(runGo).mockReset();
  });

  const printed = (...documents: readonly object[]) =>
    documents.map((document) => `${JSON.stringify(document, null, "\t")}\n`).join("");

  interface FakeModule {
    /** What `go list` prints of packages. */
    readonly packages: readonly object[];
    /** What go.mod requires, and what `go list -m` says of it. */
    readonly required?: readonly object[];
    readonly code?: number;
    readonly stderr?: string;
  }

  /** A Go that prints this in the directory of each go.mod. */
  function goPrints(goModules: Readonly<Record<string, FakeModule>>): void {
    vi.mocked(runGo).mockImplementation((_, args, { cwd }) => {
      const {
        packages,
        required = [],
        code = 0,
        stderr = "",
      } = goModules[path.relative(source, cwd) || "."] ?? {
        packages: [],
      };
      if (args[0] === "mod")
        return Promise.resolve({ code: 0, stdout: JSON.stringify({ Require: required }), stderr: "" });
      if (args[1] === "-m") return Promise.resolve({ code: 0, stdout: printed(...required), stderr: "" });
      return Promise.resolve({ code, stdout: printed(...packages), stderr });
    });
  }
  const goLists = (...packages: readonly object[]) => {
    goPrints({ ".": { packages } });
  };

  const sdk = {
    ImportPath: "example.com/sdk",
    Name: "sdk",
    Dir: `${IMAGE_PATHS.goModCache}/example.com/sdk@v1.0.0`,
    Module: { Path: "example.com/sdk", Version: "v1.0.0" },
    GoFiles: ["sdk.go"],
    Imports: ["fmt", "C", "golang.org/x/net"],
    ImportMap: { "golang.org/x/net": "vendor/golang.org/x/net" },
  };
  const program = (directory: string, more: object = {}) => ({
    ImportPath: `example.com/repository/${directory}`,
    Name: "main",
    Dir: path.join(source, directory),
    Imports: ["example.com/sdk"],
    ...more,
  });

  it("reads packages with their sources' size, wherever the caches stand", async () => {
    goLists(sdk, program("m/aws/x"));
    const { packages, roots, faults, skipped } = await readGraph(mounts, source, [aws], silent);
    expect(packages.get("example.com/sdk@v1.0.0")).toEqual({
      importPath: "example.com/sdk",
      standard: false,
      main: false,
      goModule: "example.com/sdk@v1.0.0",
      imports: ["fmt", "vendor/golang.org/x/net"],
      sourceBytes: 1000,
    });
    expect([...roots]).toEqual([["m/aws/x", "./m/aws/x"]]);
    expect(packages.get("./m/aws/x")?.imports).toEqual(["example.com/sdk@v1.0.0"]);
    expect([faults.size, skipped]).toEqual([0, []]);
  });

  it("counts a replaced module as the one that takes its place", async () => {
    const Module = {
      Path: "example.com/sdk",
      Version: "v1.0.0",
      Replace: { Path: "example.com/fork", Version: "v2.0.0" },
    };
    const local = {
      ...sdk,
      ImportPath: "local",
      Dir: path.join(source, "lib"),
      Module: { ...Module, Replace: { Path: "./lib" } },
    };
    const vendored = { ...sdk, ImportPath: "a.io/b", Dir: path.join(source, "vendor/a.io/b") };
    goLists({ ...sdk, Module }, local, vendored);
    const { packages } = await readGraph(mounts, source, [aws], silent);
    expect(packages.get("example.com/sdk@v2.0.0")?.goModule).toBe("example.com/fork@v2.0.0");
    expect(packages.get("./lib")).not.toHaveProperty("goModule");
    expect(packages.get("./vendor/a.io/b")).not.toHaveProperty("goModule");
  });

  it("makes a fault of a program that does not load, of one that Go does not know, and of nothing else", async () => {
    goLists(program("m/aws/x", { DepsErrors: [{ Err: "no required module provides example.com/gone\n" }] }));
    const { roots, faults } = await readGraph(mounts, source, [aws, gcp], silent);
    expect(Object.fromEntries(faults)).toEqual({
      "m/aws/x": "no required module provides example.com/gone",
      "m/gcp/x": "go list does not know m/gcp/x in go.mod",
    });
    expect(roots.size).toBe(0);
  });

  it("says of a program what is wrong with the package that it imports", async () => {
    const kit = {
      ImportPath: "example.com/repository/kit",
      Dir: path.join(source, "kit"),
      Imports: ["example.com/sdk"],
    };
    const imports = { Imports: [kit.ImportPath], DepsErrors: [{ Err: "somewhere below" }] };
    goLists(
      { ...sdk, Error: { Err: "build failed here" } },
      kit,
      program("m/aws/x", imports),
      program("m/gcp/x", { Imports: [] }),
    );
    const { roots, faults } = await readGraph(mounts, source, [aws, gcp], silent);
    expect([...faults]).toEqual([["m/aws/x", "build failed here"]]);
    expect([...roots.keys()]).toEqual(["m/gcp/x"]);
  });

  it("names a program whose path is no import path by what Go says of it", async () => {
    const Error = { Err: "malformed import path \"example.com/repository/m/a b/x\": invalid char ' '" };
    goLists({ ImportPath: "example.com/repository/m/a b/x", Error });
    const { faults } = await readGraph(mounts, source, [programIn(".", "m/a b/x")], silent);
    expect(faults.get("m/a b/x")).toBe(Error.Err);
  });

  it("names a program without its function, which only the linker would miss", async () => {
    await writeText(path.join(source, "m/aws/x/main.go"), "package main\n\nvar X = 1\n");
    goLists(program("m/aws/x", { GoFiles: ["main.go"] }));
    const { faults } = await readGraph(mounts, source, [aws], silent);
    expect([...faults]).toEqual([["m/aws/x", "function main is undeclared in the main package"]]);
  });

  it("skips what a build takes for a library, which is no fault", async () => {
    goLists(program("m/aws/x", { Name: "library", Imports: [] }), program("m/gcp/x", { Imports: [] }));
    const { roots, faults, skipped } = await readGraph(mounts, source, [aws, gcp], silent);
    expect(skipped).toEqual(["m/aws/x"]);
    expect([faults.size, [...roots.keys()]]).toEqual([0, ["m/gcp/x"]]);
  });

  it("knows programs again where the source is named through a link, which Go resolves", async () => {
    const link = `${source}-link`;
    await symlink(source, link);
    vi.mocked(runGo).mockResolvedValue({ code: 0, stdout: printed(program("m/aws/x")), stderr: "" });
    const { roots, faults } = await readGraph(mounts, link, [aws], silent).finally(() => rm(link));
    expect([...faults]).toEqual([]);
    expect([...roots]).toEqual([["m/aws/x", "./m/aws/x"]]);
  });

  it("keeps Go modules of one name apart: their packages of one import path, and whose fault it is", async () => {
    const kit = (team: string) => ({
      ...{ ImportPath: "example.com/team/kit", Name: "kit", Dir: path.join(source, team, "kit"), GoFiles: ["kit.go"] },
      Imports: [team === "red" ? "encoding/xml" : "image/gif"],
    });
    await writeText(path.join(source, "red/kit/kit.go"), "x".repeat(10));
    await writeText(path.join(source, "blue/kit/kit.go"), "x".repeat(2000));
    const main = (team: string, name: string) => ({
      ...{ ImportPath: `example.com/team/${name}`, Name: "main", Dir: path.join(source, team, name) },
      Imports: ["example.com/team/kit"],
    });
    goPrints({
      red: { packages: [kit("red"), main("red", "store")] },
      blue: { packages: [kit("blue"), main("blue", "store")] },
      grey: { packages: [{ ...kit("grey"), Error: { Err: "broken" } }, main("grey", "store")] },
    });
    const programs = ["red", "blue", "grey"].map((team) => programIn(team, `${team}/store`));
    const { packages, roots, faults } = await readGraph(mounts, source, programs, silent);
    expect([...roots]).toEqual([
      ["red/store", "./red/store"],
      ["blue/store", "./blue/store"],
    ]);
    expect([...faults]).toEqual([["grey/store", "broken"]]);
    expect(["red", "blue"].map((team) => packages.get(`./${team}/kit`))).toMatchObject([
      { importPath: "example.com/team/kit", imports: ["encoding/xml"], sourceBytes: 10 },
      { importPath: "example.com/team/kit", imports: ["image/gif"], sourceBytes: 2000 },
    ]);
    expect([...closureOf(packages, ["./red/store"])]).not.toContain("image/gif");
  });

  it("keeps versions of one Go module apart", async () => {
    const of = (Version: string) => ({ ...sdk, Imports: [], Module: { Path: "example.com/sdk", Version } });
    const main = (directory: string) => program(directory);
    goPrints({ one: { packages: [of("v1.0.0"), main("one/x")] }, two: { packages: [of("v1.1.0"), main("two/x")] } });
    const { packages } = await readGraph(
      mounts,
      source,
      [programIn("one", "one/x"), programIn("two", "two/x")],
      silent,
    );
    expect(packages.get("./one/x")?.imports).toEqual(["example.com/sdk@v1.0.0"]);
    expect(packages.get("./two/x")?.imports).toEqual(["example.com/sdk@v1.1.0"]);
  });

  it("reads what each go.mod requires, in the versions that a build selects", async () => {
    const required = [
      { Path: "example.com/sdk", Version: "v1.0.0" },
      { Path: "example.com/forked", Version: "v1.0.0", Replace: { Path: "example.com/fork", Version: "v2.0.0" } },
      { Path: "example.com/local", Version: "v1.0.0", Replace: { Path: "./local" } },
    ];
    goPrints({ ".": { packages: [sdk, program("m/aws/x")], required } });
    const graph = await readGraph(mounts, source, [aws], silent);
    expect([...graph.required]).toEqual([[".", ["example.com/fork@v2.0.0", "example.com/sdk@v1.0.0"]]]);
  });

  it("makes a go.mod that cannot be read a fault of its programs alone", async () => {
    goPrints({
      ".": { packages: [program("m/aws/x", { Imports: [] })] },
      odd: { packages: [], code: 1, stderr: "go: errors parsing go.mod:\n  unknown directive\n" },
    });
    const programs = [aws, programIn("odd", "odd/x"), programIn("odd", "odd/y")];
    const { roots, faults, required } = await readGraph(mounts, source, programs, silent);
    const says = "Go cannot read odd/go.mod: go: errors parsing go.mod:\n      unknown directive";
    expect(Object.fromEntries(faults)).toEqual({ "odd/x": says, "odd/y": says });
    expect([...roots.keys()]).toEqual(["m/aws/x"]);
    expect([...required.keys()]).toEqual(["."]);
  });

  it("asks Go nothing of a go.mod that wants a newer Go", async () => {
    await writeText(path.join(source, "new/go.mod"), "module x\n\ngo 1.25\n\ntoolchain go1.27.0\n");
    goPrints({ ".": { packages: [program("m/aws/x", { Imports: [] })] } });
    const { faults } = await readGraph(mounts, source, [aws, programIn("new", "new/x")], silent);
    expect(faults.get("new/x")).toMatch(/^new\/go\.mod has the line "toolchain go1\.27\.0"/);
    for (const [, , { cwd }] of vi.mocked(runGo).mock.calls) expect(cwd).toBe(path.join(source, "."));
  });

  describe("where modules cannot be fetched", () => {
    const refused = "example.com/sdk@v1.0.0: reading https://u:s3cret@proxy/sdk.zip: 403 Forbidden";
    const gone = { ImportPath: "example.com/sdk", Error: { Err: refused } };

    it("names module and version in the fault of each program that needs them, and no password", async () => {
      goLists(gone, program("m/aws/x"), program("m/gcp/x", { Imports: [] }));
      const { roots, faults } = await readGraph(mounts, source, [aws, gcp], silent);
      expect([...faults]).toEqual([
        ["m/aws/x", "example.com/sdk@v1.0.0 cannot be fetched: reading https://…@proxy/sdk.zip: 403 Forbidden"],
      ]);
      expect([...roots.keys()]).toEqual(["m/gcp/x"]);
    });

    it("throws where no program is left", async () => {
      goPrints({
        ".": { packages: [gone, program("m/aws/x")] },
        two: { packages: [], code: 1, stderr: 'go: a.io/b@v1.2.3: Get "https://p": EOF\n' },
      });
      await expect(readGraph(mounts, source, [aws, programIn("two", "two/x")], silent)).rejects.toMatchObject({
        kind: "unreachable",
        message:
          "example.com/sdk@v1.0.0 cannot be fetched: reading https://…@proxy/sdk.zip: 403 Forbidden (and 1 more)",
      });
    });
  });
});
