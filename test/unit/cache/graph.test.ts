import fc from "fast-check";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { buildContract, IMAGE_PATHS } from "../../../cache/contract.ts";
import { runGo, type GoMounts } from "../../../cache/go-command.ts";
import { parseJsonStream } from "../../../cache/go-list.ts";
import { closureOf, packageArguments, readGraph, type Package } from "../../../cache/graph.ts";
import { silent } from "../../../progress.ts";

vi.mock(import("../../../cache/go-command.ts"), async (original) => ({ ...(await original()), runGo: vi.fn() }));

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
  const [aws, gcp] = ["aws", "gcp"].map((provider) => ({
    ...{ provider, module: "x", goModule: "." },
    directory: `m/${provider}/x`,
  }));
  if (!aws || !gcp) throw new Error("two programs");
  const contract = buildContract({ go: "1.26.8", pulumi: "3.253.0" }, "amd64");

  let source: string;
  let mounts: GoMounts;

  beforeEach(async () => {
    source = await mkdtemp(path.join(tmpdir(), "kiln-graph-"));
    mounts = { contract, goRoot: `${source}/go`, goModCache: `${source}/mod`, goBuildCache: `${source}/build` };
    await mkdir(path.join(source, "mod/example.com/sdk@v1.0.0"), { recursive: true });
    await writeFile(path.join(source, "mod/example.com/sdk@v1.0.0/sdk.go"), "x".repeat(1000));
    return () => rm(source, { recursive: true });
  });

  /** What `go list` would print. */
  function goLists(...documents: readonly object[]): void {
    const stdout = documents.map((document) => `${JSON.stringify(document, null, "\t")}\n`).join("");
    vi.mocked(runGo).mockResolvedValue({ code: 0, stdout, stderr: "" });
  }

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
    const { packages, roots, faults } = await readGraph(mounts, source, [aws], silent);
    expect(packages.get("example.com/sdk")).toEqual({
      importPath: "example.com/sdk",
      standard: false,
      main: false,
      goModule: "example.com/sdk@v1.0.0",
      imports: ["fmt", "vendor/golang.org/x/net"],
      sourceBytes: 1000,
    });
    expect([...roots]).toEqual([["m/aws/x", "example.com/repository/m/aws/x"]]);
    expect(faults.size).toBe(0);
  });

  it("counts a replaced module as the one that takes its place", async () => {
    const Module = {
      Path: "example.com/sdk",
      Version: "v1.0.0",
      Replace: { Path: "example.com/fork", Version: "v2.0.0" },
    };
    goLists({ ...sdk, Module }, { ...sdk, ImportPath: "local", Module: { ...Module, Replace: { Path: "../local" } } });
    const { packages } = await readGraph(mounts, source, [aws], silent);
    expect(packages.get("example.com/sdk")?.goModule).toBe("example.com/fork@v2.0.0");
    expect(packages.get("local")).not.toHaveProperty("goModule");
  });

  it("makes a fault of a program that does not load, of one that Go does not know, and of nothing else", async () => {
    goLists(program("m/aws/x", { DepsErrors: [{ Err: "no required module provides example.com/gone\n" }] }));
    const { roots, faults } = await readGraph(mounts, source, [aws, gcp], silent);
    expect(Object.fromEntries(faults)).toEqual({
      "m/aws/x": "no required module provides example.com/gone",
      "m/gcp/x": "go list does not know m/gcp/x in ./go.mod",
    });
    expect(roots.size).toBe(0);
  });

  it("knows programs again where the source is named through a link, which Go resolves", async () => {
    const link = `${source}-link`;
    await symlink(source, link);
    goLists(program("m/aws/x"));
    const { roots, faults } = await readGraph(mounts, link, [aws], silent);
    await rm(link);
    expect([...faults]).toEqual([]);
    expect([...roots.keys()]).toEqual(["m/aws/x"]);
  });

  it("throws, with what Go said, only where a go.mod cannot be read", async () => {
    vi.mocked(runGo).mockResolvedValue({
      code: 1,
      stdout: "",
      stderr: "go: errors parsing go.mod:\n  unknown directive\n",
    });
    await expect(readGraph(mounts, source, [aws], silent)).rejects.toMatchObject({
      kind: "failed",
      message: "Go cannot read go.mod:\ngo: errors parsing go.mod:\n  unknown directive",
    });
  });
});
