import { mkdtemp, readdir, readFile, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { setTimeout } from "node:timers/promises";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { runGo } from "../../../cache/go/command.ts";
import { readManifest } from "../../../cache/manifest.ts";
import type { Plan, Shard } from "../../../cache/plan.ts";
import type { Program } from "../../../cache/programs.ts";
import { mountsOf, shardOf, warmShard } from "../../../cache/warm.ts";
import { buildMultiCall } from "../../../cache/multi-call.ts";
import { actionName, outputName } from "../../../cache/record-log.ts";
import { readTimings } from "../../../cache/timings.ts";
import { withStore } from "../../../cache/local-store.ts";
import { KilnError } from "../../../errors.ts";
import { silent, type Progress } from "../../../progress.ts";
import { compile, CONTRACT, download, entriesOf, sha256, writeText } from "./cache-directory.ts";
import { buildRecorded, linkAction, writeRecordLog } from "./recorded-go.ts";

vi.mock(import("../../../cache/go/command.ts"), async (original) => ({ ...(await original()), runGo: vi.fn() }));
vi.mock(import("../../../cache/local-store.ts"), { spy: true });
// Programs of these tests have no files.
vi.mock(import("../../../cache/program-reads.ts"), async (original) => ({
  ...(await original()),
  digestSources: (folder) => Promise.resolve(sha256(path.basename(folder))),
}));
vi.mock(import("../../../cache/multi-call.ts"), () => ({ buildMultiCall: vi.fn() }));
// Attempts to fetch follow each other at once.
vi.mock(import("node:timers/promises"), async (original) => {
  const now: unknown = () => Promise.resolve();
  return { ...(await original()), setTimeout: now as typeof setTimeout };
});

function planOf(programs: readonly Program[], shards: readonly Shard[]): Plan {
  const rest = { version: 1, contract: CONTRACT, pattern: "{provider}/{module}", faults: {}, allowFailed: [] } as const;
  return { ...rest, skipped: [], goModules: {}, programs, shards };
}

const shard = (id: string, programs: readonly string[]): Shard => ({ id, programs, packages: {}, cost: 0 });

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
    vi.mocked(runGo).mockReset();
    await writeText(path.join(home, "source/go.sum"), "example.com/only-mod v1.0.0/go.mod h1:x=\n");
    await download(path.join(home, "store/go-mod"), "example.com/sdk@v1.0.0");
    await download(path.join(home, "store/go-mod"), "example.com/only-mod@v1.0.0", false);
    await download(path.join(home, "store/go-mod"), "example.com/unused@v1.0.0");
    await compile(path.join(home, "store/go-build"), "unused");
    return () => rm(home, { recursive: true });
  });

  const programOf = (directory: string): Program => ({ provider: "aws", module: "x", directory, goModule: "." });

  /** A Go that compiles the SDK and each program that it is asked for; those of `broken` fail with this error; `compiled` were not in the store. */
  function goCompiles(broken: Readonly<Record<string, string>>, compiled: readonly string[] = []): void {
    vi.mocked(runGo).mockImplementation(async (_, args, options) => {
      const { cwd, onStderrLine } = options;
      if (args[0] === "build") {
        const directory = cwd.split("/").slice(-2).join("/");
        return buildRecorded(path.join(home, "store/go-build"), args, options, [
          ...["example.com/sdk", `repository/${directory}`],
        ]);
      }
      const exported = (name: string) =>
        args.includes("-export") ? { Export: `/var/cache/go-build/${entriesOf(name).output}` } : {};
      if (onStderrLine !== undefined && args.includes("-export")) compiled.forEach(onStderrLine);
      const sdk = {
        ...exported("example.com/sdk"),
        ImportPath: "example.com/sdk",
        GoFiles: ["a.go"],
        Dir: "/var/cache/go-mod/example.com/sdk@v1.0.0",
        Module: { Path: "example.com/sdk", Version: "v1.0.0" },
      };
      const asked = args.filter((arg) => arg.startsWith("./")).map((arg) => arg.slice(2));
      // Go names directories by their real paths.
      const real = await realpath(cwd);
      const programs = asked.map((directory) => ({
        ImportPath: `repository/${directory}`,
        Dir: path.join(real, directory),
        Imports: ["example.com/sdk"],
        ...(broken[directory] === undefined
          ? exported(`repository/${directory}`)
          : { Error: { Err: broken[directory] } }),
      }));
      for (const { ImportPath } of [sdk, ...programs]) await compile(path.join(home, "store/go-build"), ImportPath);
      await writeRecordLog(path.join(home, "store/go-build"), options, ["example.com/sdk"]);
      const stdout = [sdk, ...programs].map((entry) => `${JSON.stringify(entry, null, "\t")}\n`).join("");
      return { code: 0, stdout, stderr: "" };
    });
  }

  const warm = (directories: readonly string[], more: Partial<Parameters<typeof warmShard>[0]> = {}) =>
    warmShard({
      plan: planOf(directories.map(programOf), [shard("aws", directories)]),
      ...{ shard: "aws", source: path.join(home, "source"), goRoot: "/go" },
      ...{
        store: path.join(home, "store"),
        out: path.join(home, "out"),
        progress: silent,
        gocache: import.meta.filename,
      },
      ...more,
    });

  it("ships what its programs read and nothing else of the store", async () => {
    goCompiles({});
    const manifest = await warm(["aws/a", "aws/b"]);
    expect(manifest).toMatchObject({ modules: ["aws/a", "aws/b"], failed: {} });
    expect(manifest.closures.aws?.goMod).toEqual(["example.com/sdk@v1.0.0"]);
    expect(manifest.goModMetadata).toEqual(["example.com/only-mod@v1.0.0", "example.com/sdk@v1.0.0"]);
    expect(manifest.counts).toMatchObject({ goBuildEntries: 10, goModules: 1 });
    expect(manifest.closures.aws?.sources).toEqual(["example.com/sdk@v1.0.0/a.go"]);
    expect(Object.values(manifest.objects).sort()).toEqual(["./aws/a", "./aws/b", "example.com/sdk@v1.0.0"]);
    expect(manifest.programs["aws/b"]?.reads).toEqual({
      ...{ package: "repository/aws/b", sources: sha256("b") },
      archives: [sha256("archive of example.com/sdk").slice(0, 16)],
    });
    expect(manifest.spare).toEqual([]);
    expect(await readManifest(path.join(home, "out"))).toEqual(manifest);
    expect(await readdir(path.join(home, "out/go-mod/example.com"))).toEqual(["sdk@v1.0.0"]);
    const shipped = await readdir(path.join(home, "out"), { recursive: true });
    expect(shipped.filter((name) => /-[ad]$/.test(name))).toHaveLength(10);
  });

  it("ships each finished program under its link action, and links it only once", async () => {
    goCompiles({});
    const [first, again] = [await warm(["aws/a", "aws/b"]), await warm(["aws/a", "aws/b"])];
    expect(again).toEqual(first);
    expect(Object.keys(first.programs)).toEqual(["aws/a", "aws/b"]);
    const { action = "", output = "", bytes } = first.programs["aws/a"] ?? {};
    expect(action).toBe(actionName(linkAction("a")));
    expect(first.closures.aws?.goBuild).toEqual(expect.arrayContaining([action, output]));
    const program = await readFile(path.join(home, "out/go-build", output));
    expect([outputName(sha256(program)), program.length]).toEqual([output, bytes]);
    expect(await readFile(path.join(home, "out/go-build", action), "utf8")).toBe(
      `v1 ${linkAction("a")} ${sha256(program)} ${String(bytes).padStart(20)} ${"4102444800000000000".padStart(20)}\n`,
    );
    const { links = {} } = (await readTimings(path.join(home, "store"))) ?? {};
    expect(Object.keys(links)).toEqual(["aws/a", "aws/b"]);
    expect((await readdir(path.join(home, "store/go-build"))).filter((name) => name.startsWith("kiln-"))).toEqual([]);
  });

  it("leaves a program out that does not link, and everything that it alone reads", async () => {
    goCompiles({});
    const compiling = vi.mocked(runGo).getMockImplementation();
    vi.mocked(runGo).mockImplementation(async (mounts, args, options) => {
      const result = await compiling?.(mounts, args, options);
      if (args[0] !== "build" || !options.cwd.endsWith("/b")) return result ?? { code: 0, stdout: "", stderr: "" };
      return { code: 1, stdout: "", stderr: "# repository/aws/b\nmain.go: function main is undeclared\n" };
    });
    const manifest = await warm(["aws/a", "aws/b"]);
    expect(manifest).toMatchObject({
      modules: ["aws/a"],
      failed: { "aws/b": "main.go: function main is undeclared" },
    });
    expect(Object.keys(manifest.programs)).toEqual(["aws/a"]);
    expect(Object.values(manifest.objects)).not.toContain("./aws/b");
  });

  it("ships neither entries nor sources where programs are delivered as binaries alone", async () => {
    goCompiles({});
    vi.mocked(buildMultiCall).mockImplementation(async (_, { provider, programs, out }) => {
      await writeText(path.join(out, provider), "all programs");
      const names = Object.fromEntries(programs.map(({ directory }) => [directory, directory.replace("/", "-")]));
      const binary = { file: provider, bytes: 12, names, linkSeconds: 1 };
      return { binaries: [binary], bytes: 12, names, apart: {} };
    });
    const manifest = await warm(["aws/a", "aws/b"], { delivery: "binaries" });
    expect(manifest).toMatchObject({ delivery: "binaries", modules: ["aws/a", "aws/b"], programs: {} });
    expect(manifest.closures.aws).toEqual({ goBuild: [], goMod: ["example.com/sdk@v1.0.0"], sources: [] });
    expect(manifest.binaries).toEqual({
      aws: [{ file: "binaries/aws", bytes: 12, names: { "aws/a": "aws-a", "aws/b": "aws-b" } }],
    });
    expect(await readFile(path.join(home, "out/binaries/aws"), "utf8")).toBe("all programs");
    expect(await readManifest(path.join(home, "out"))).toEqual(manifest);
    expect(vi.mocked(runGo).mock.calls.filter(([, args]) => args[0] === "build")).toEqual([]);
    const both = await warm(["aws/a"], { delivery: "both" });
    expect([both.delivery, Object.keys(both.programs), Object.keys(both.binaries ?? {})]).toEqual([
      ...["both", ["aws/a"], ["aws"]],
    ]);
  });

  it("ships of packages that shards share what compiling them reads", async () => {
    goCompiles({});
    const base: Shard = { id: "base", programs: [], packages: { "example.com/sdk": 1 }, cost: 1 };
    const plan = planOf([programOf("aws/a")], [base, shard("aws", ["aws/a"])]);
    const manifest = await warm([], { plan, shard: "base" });
    expect(manifest).toMatchObject({ modules: [], programs: {}, spare: [] });
    expect(manifest.closures).toEqual({
      base: {
        goBuild: Object.values(entriesOf("example.com/sdk")).sort(),
        goMod: ["example.com/sdk@v1.0.0"],
        sources: ["example.com/sdk@v1.0.0/a.go"],
      },
    });
    expect(Object.values(manifest.objects)).toEqual(["example.com/sdk@v1.0.0"]);
  });

  it("ends where the disk is full or memory is short, and lays it to no program", async () => {
    goCompiles({ "aws/b": "write /var/cache/go-build/x: no space left on device" });
    await expect(warm(["aws/a", "aws/b"])).rejects.toThrow("is full");
    goCompiles({ "aws/b": "# example.com/sdk\n/compile: signal: killed" });
    await expect(warm(["aws/a", "aws/b"])).rejects.toThrow("too little memory");
  });

  it("leaves a program out that does not compile, and names its first error", async () => {
    goCompiles({ "aws/b": "# repository/aws/b\n./main.go:3:2: undefined: x\n" });
    const manifest = await warm(["aws/a", "aws/b"]);
    expect(manifest).toMatchObject({ modules: ["aws/a"], failed: { "aws/b": "./main.go:3:2: undefined: x" } });
  });

  it("tells how much the store had, and leaves that out of what it writes", async () => {
    const onServed = vi.fn();
    goCompiles({ "aws/b": "undefined: x" }, ["repository/aws/a", "repository/aws/b"]);
    await warm(["aws/a", "aws/b", "aws/c"], { onServed });
    expect(onServed.mock.calls).toEqual([[{ hits: 2, misses: 2 }]]);
    const cold = await readManifest(path.join(home, "out"));
    goCompiles({ "aws/b": "undefined: x" });
    expect(await warm(["aws/a", "aws/b", "aws/c"], { onServed, out: path.join(home, "again") })).toEqual(cold);
    expect(onServed).toHaveBeenLastCalledWith({ hits: 3, misses: 0 });
  });

  it("knows a failing program again where the source is named through a link", async () => {
    await symlink("source", path.join(home, "link"));
    goCompiles({ "aws/b": "undefined: x" });
    expect((await warm(["aws/a", "aws/b"], { source: path.join(home, "link") })).failed).toEqual({
      "aws/b": "undefined: x",
    });
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

  describe("of several Go modules", () => {
    const printed = (...entries: readonly object[]) =>
      entries.map((entry) => `${JSON.stringify(entry, null, "\t")}\n`).join("");

    interface FakeModule {
      /** By package, the fault in it. */
      readonly faults?: Readonly<Record<string, string>>;
      /** What Go says where it cannot read go.mod. */
      readonly unreadable?: string;
    }

    /** A Go with modules of one name, `team`: each has a program `app` that imports its own package `team/kit`. */
    function goHas(
      goModules: Readonly<Record<string, FakeModule>>,
      missing: Readonly<Record<string, string>> = {},
    ): void {
      vi.mocked(runGo).mockImplementation(async (_, args, options) => {
        const { cwd } = options;
        if (args[0] === "build") return buildRecorded(path.join(home, "store/go-build"), args, options, []);
        const said = (stdout: string, more: object = {}) => ({ code: 0, stdout, stderr: "", ...more });
        if (args[0] === "mod" && args[1] === "download") {
          return said(
            printed(
              ...args.slice(args.indexOf("--") + 1).map((module) => {
                const [Path, Version] = module.split("@");
                return { Path, Version, ...(missing[module] === undefined ? {} : { Error: missing[module] }) };
              }),
            ),
          );
        }
        if (args[0] !== "list" || args[1] === "-m") return said("{}");
        const { faults = {}, unreadable } = goModules[path.basename(cwd)] ?? {};
        if (unreadable !== undefined) return said("", { code: 1, stderr: unreadable });
        const entries = ["kit", "app"].map((name) => ({
          ...{ ImportPath: `team/${name}`, Name: name === "app" ? "main" : name, Dir: path.join(cwd, name) },
          Imports: name === "app" ? ["team/kit"] : [],
          ...(faults[name] === undefined ? {} : { Error: { Err: faults[name] } }),
        }));
        for (const { Dir } of entries)
          await compile(path.join(home, "store/go-build"), path.basename(cwd) + Dir.slice(cwd.length));
        return said(printed(...entries), { stderr: "go: downloading team/kit v1.0.0\n" });
      });
    }

    const program = (goModule: string, provider = "aws"): Program => ({
      ...{ provider, module: "app", directory: `${goModule}/app`, goModule },
    });
    const warmAll = async (programs: readonly Program[], more: Partial<Plan> = {}, progress: Progress = silent) => {
      for (const { goModule } of programs)
        await writeText(path.join(home, "source", goModule, "go.mod"), "module team\n");
      return warmShard({
        plan: {
          ...planOf(programs, [
            shard(
              "all",
              programs.map(({ directory }) => directory),
            ),
          ]),
          ...more,
        },
        ...{ shard: "all", source: path.join(home, "source"), goRoot: "/go" },
        ...{ store: path.join(home, "store"), out: path.join(home, "out"), progress, gocache: import.meta.filename },
      });
    };

    it("with one name lays a fault to the program that has it", async () => {
      goHas({ blue: { faults: { kit: "# team/kit\nkit/kit.go:3:2: undefined: x\n" } }, red: {} });
      expect(await warmAll([program("red"), program("blue", "gcp"), program("green")])).toMatchObject({
        modules: ["green/app", "red/app"],
        failed: { "blue/app": "kit/kit.go:3:2: undefined: x" },
      });
    });

    it("ends where the network fails at the last moment: names module and version, and shows no password", async () => {
      goHas({ red: { faults: { kit: "a.io/b@v1.0.0: reading https://u:s3cret@proxy/b.zip: 403 Forbidden" } } });
      await expect(warmAll([program("red"), program("green")])).rejects.toMatchObject({
        kind: "unreachable",
        message: "a.io/b@v1.0.0 cannot be fetched: reading https://…@proxy/b.zip: 403 Forbidden",
        mend: expect.stringContaining("GOPRIVATE") as string,
      });
      goHas({ blue: { faults: { kit: "zip: not a valid zip file" } } });
      await expect(warmAll([program("blue")])).rejects.toThrow("team/kit@v1.0.0 cannot be fetched: zip: not a valid");
    });

    it("names what Go says of a go.mod that it cannot read, without a password", async () => {
      goHas({ grey: { unreadable: "go: downloading x v1\ngo: https://u:s3cret@h is odd\n" } });
      const { modules, failed } = await warmAll([program("grey"), program("green")]);
      expect(modules).toEqual(["green/app"]);
      expect(failed).toEqual({ "grey/app": "Go cannot read grey/go.mod: go: https://…@h is odd" });
    });

    it("ships what a go.mod requires and nothing compiles, and says what of it cannot be had", async () => {
      goHas({}, { "example.com/gone@v1.0.0": "404 Not Found\n" });
      await download(path.join(home, "store/go-mod"), "example.com/spare@v1.0.0");
      const note = vi.fn();
      const spare = ["example.com/gone@v1.0.0", "example.com/spare@v1.0.0"];
      const manifest = await warmAll(
        [program("red"), program("blue", "gcp")],
        { goModules: { red: { required: spare, spare }, blue: { required: [], spare: [] } } },
        { ...silent, note },
      );
      expect(manifest.closures.aws?.goMod).toEqual(["example.com/spare@v1.0.0"]);
      expect(manifest.closures.gcp?.goMod).toEqual([]);
      expect(note.mock.calls).toEqual([
        ["example.com/gone@v1.0.0 is left out, Pulumi will look for it: 404 Not Found"],
      ]);
    });
  });

  it("refuses a store on a network file system before anything is written to it", async () => {
    vi.mocked(withStore).mockRejectedValueOnce(new KilnError("usage", "on a network file system"));
    goCompiles({});
    await expect(warm(["aws/a"])).rejects.toThrow("on a network file system");
    expect(runGo).not.toHaveBeenCalled();
    expect(await readdir(home)).not.toContain("out");
  });
});
