import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { runGo } from "../../../cache/go-command.ts";
import { readManifest } from "../../../cache/manifest.ts";
import type { Plan, Shard } from "../../../cache/plan.ts";
import type { Program } from "../../../cache/programs.ts";
import { firstCompilerError, mountsOf, shardOf, warmShard } from "../../../cache/warm.ts";
import { silent } from "../../../progress.ts";
import { compile, CONTRACT, download, writeText } from "./cache-directory.ts";

vi.mock(import("../../../cache/go-command.ts"), async (original) => ({ ...(await original()), runGo: vi.fn() }));

function planOf(programs: readonly Program[], shards: readonly Shard[]): Plan {
  const rest = { version: 1, contract: CONTRACT, pattern: "{provider}/{module}", faults: {}, allowFailed: [] } as const;
  return { ...rest, programs, shards };
}

const shard = (id: string, programs: readonly string[]): Shard => ({ id, programs, packages: {}, cost: 0 });

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

describe("shardOf", () => {
  const plan = planOf([], [shard("base", []), shard("aws", [])]);

  it("finds a shard by its id", () => {
    expect(shardOf(plan, "aws").id).toBe("aws");
  });

  it("names the others where there is none of that id", () => {
    expect(() => shardOf(plan, "gcp")).toThrow(
      expect.objectContaining({
        kind: "usage",
        message: 'the plan has no shard "gcp"',
        mend: "Choose one of: base, aws.",
      }),
    );
  });
});

describe("mountsOf", () => {
  it("names the folders of a store or a cache directory", () => {
    expect(mountsOf(planOf([], []), "/go", "/store")).toEqual({
      contract: CONTRACT,
      goRoot: "/go",
      goModCache: "/store/go-mod",
      goBuildCache: "/store/go-build",
    });
  });
});

describe("warmShard", () => {
  let home: string;

  beforeEach(async () => {
    home = await mkdtemp(path.join(tmpdir(), "kiln-warm-"));
    vi.stubEnv("KILN_MIN_FREE_GB", "0");
    await writeText(path.join(home, "source/go.sum"), "example.com/only-mod v1.0.0/go.mod h1:x=\n");
    await download(path.join(home, "store/go-mod"), "example.com/sdk@v1.0.0");
    await download(path.join(home, "store/go-mod"), "example.com/only-mod@v1.0.0", false);
    await download(path.join(home, "store/go-mod"), "example.com/unused@v1.0.0");
    await compile(path.join(home, "store/go-build"), "unused");
    return () => rm(home, { recursive: true });
  });

  const programOf = (directory: string): Program => ({ provider: "aws", module: "x", directory, goModule: "." });

  /** A Go that compiles the SDK and each program that it is asked for; those of `broken` fail with this error. */
  function goCompiles(broken: Readonly<Record<string, string>>): void {
    vi.mocked(runGo).mockImplementation(async (_, args, { cwd }) => {
      const sdk = {
        ImportPath: "example.com/sdk",
        Dir: "/var/cache/go-mod/example.com/sdk@v1.0.0",
        Module: { Path: "example.com/sdk", Version: "v1.0.0" },
      };
      const asked = args.filter((arg) => arg.startsWith("./")).map((arg) => arg.slice(2));
      const programs = asked.map((directory) => ({
        ImportPath: `repository/${directory}`,
        Dir: path.join(cwd, directory),
        Imports: ["example.com/sdk"],
        ...(broken[directory] === undefined ? {} : { Error: { Err: broken[directory] } }),
      }));
      for (const { ImportPath } of [sdk, ...programs]) await compile(path.join(home, "store/go-build"), ImportPath);
      const stdout = [sdk, ...programs].map((entry) => `${JSON.stringify(entry, null, "\t")}\n`).join("");
      return { code: 0, stdout, stderr: "" };
    });
  }

  const warm = (directories: readonly string[]) =>
    warmShard({
      plan: planOf(directories.map(programOf), [shard("aws", directories)]),
      ...{ shard: "aws", source: path.join(home, "source"), goRoot: "/go" },
      ...{ store: path.join(home, "store"), out: path.join(home, "out"), progress: silent },
    });

  it("ships what its programs read and nothing else of the store", async () => {
    goCompiles({});
    const manifest = await warm(["aws/a", "aws/b"]);
    expect(manifest).toMatchObject({ modules: ["aws/a", "aws/b"], failed: {} });
    expect(manifest.closures.aws?.goMod).toEqual(["example.com/sdk@v1.0.0"]);
    expect(manifest.goModMetadata).toEqual(["example.com/only-mod@v1.0.0", "example.com/sdk@v1.0.0"]);
    expect(manifest.counts).toMatchObject({ goBuildEntries: 6, goModules: 1 });
    expect(await readManifest(path.join(home, "out"))).toEqual(manifest);
    expect(await readdir(path.join(home, "out/go-mod/example.com"))).toEqual(["sdk@v1.0.0"]);
    const shipped = await readdir(path.join(home, "out"), { recursive: true });
    expect(shipped.filter((name) => /-[ad]$/.test(name))).toHaveLength(6);
  });

  it("leaves a program out that does not compile, and names its first error", async () => {
    goCompiles({ "aws/b": "# repository/aws/b\n./main.go:3:2: undefined: x\n" });
    const manifest = await warm(["aws/a", "aws/b"]);
    expect(manifest).toMatchObject({ modules: ["aws/a"], failed: { "aws/b": "./main.go:3:2: undefined: x" } });
  });

  it("tells programs apart of which one's directory ends like the other's", async () => {
    goCompiles({ "other/aws/a": "no" });
    const manifest = await warm(["other/aws/a", "aws/a"]);
    expect(manifest).toMatchObject({ modules: ["aws/a"], failed: { "other/aws/a": "no" } });
  });

  it("leaves nothing at its place where it fails, and gives the store back", async () => {
    vi.mocked(runGo).mockRejectedValue(new Error("interrupted"));
    await expect(warm(["aws/a"])).rejects.toThrow("interrupted");
    goCompiles({});
    expect((await warm(["aws/a"])).modules).toEqual(["aws/a"]);
    expect((await readdir(home)).sort()).toEqual(["out", "source", "store"]);
  });
});
