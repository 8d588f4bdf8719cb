import { mkdir, symlink } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { buildContract } from "../../../cache/contract.ts";
import { writeLooseLayer } from "../../../cache/loose-layer.ts";
import type { CacheManifest } from "../../../cache/manifest.ts";
import { manifestFault } from "../../../cache/manifest-fault.ts";
import type { Plan } from "../../../cache/plan.ts";
import { planFault } from "../../../cache/planning.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { EMPTY_MANIFEST, writeText } from "./cache-directory.ts";

const contract = buildContract({ go: "1.26.8", pulumi: "3.253.0" }, "amd64");
const ENTRY = `0a/${"0a".repeat(32)}-d`;

function manifest(
  goBuild: readonly string[],
  goMod: readonly string[] = [],
  more: Readonly<Record<string, unknown>> = {},
): CacheManifest {
  const closures = { aws: { goBuild, goMod, sources: [] } };
  return { ...EMPTY_MANIFEST, closures, goModMetadata: goMod, ...more };
}

const binariesOf = (provider: string, more: object) => ({
  binaries: { [provider]: [{ file: "binaries/aws", bytes: 1, names: {}, ...more }] },
});

describe("manifestFault: shards come from other machines", () => {
  it("finds nothing in what warming writes", () => {
    const modules = ["github.com/Azure/go-x@v1.0.0", "gopkg.in/yaml.v3@v3.0.1", "x.io/a@v0.0.0-2024-abc+incompatible"];
    expect(manifestFault(manifest([ENTRY, ENTRY.replace("-d", "-a")], modules))).toBeUndefined();
  });

  it.each(["../../etc/passwd", "0a/../../../x", `/${ENTRY}`, `${ENTRY}/../x`, "trim.txt", ""])(
    "refuses the entry %j, which could put any file into a layer",
    (name) => {
      expect(manifestFault(manifest([ENTRY, name]))).toContain(JSON.stringify(name).slice(1, -1));
    },
  );

  it.each(["../../x@v1.0.0", "a/../b@v1.0.0", "/etc@v1", "a@v1/../../b", "a b@v1.0.0", "a"])(
    "refuses the module %j",
    (name) => {
      expect(manifestFault(manifest([ENTRY], [name]))).toContain(name);
    },
  );

  it.each([
    "x.io/!a@v1.0.0/../../../etc/passwd",
    "/etc/passwd",
    "x.io/!a@v1.0.0/./a.go",
    "x.io/!a@v1.0.0",
    "x.io/!a/a.go",
    "y.io/b@v1.0.0/a.go",
    "cache/download/x.io/!a/@v/v1.0.0.mod",
    "",
  ])("refuses the source %j, which is no file of the module that is compiled", (source) => {
    const closure = { goBuild: [], goMod: ["x.io/A@v1.0.0"], sources: ["x.io/!a@v1.0.0/b/c@v1/a.go"] };
    expect(manifestFault(manifest([], [], { closures: { aws: closure } }))).toBeUndefined();
    const stray = { ...closure, sources: [...closure.sources, source] };
    expect(manifestFault(manifest([], [], { closures: { aws: stray } }))).toContain(`"${source}" is no file`);
  });

  it("finds nothing in binaries as they are built", () => {
    const sound = binariesOf("aws", { file: "binaries/aws+2", names: { "m/x": "aws-x" } });
    expect(manifestFault(manifest([], [], sound))).toBeUndefined();
  });

  it.each<[string, Readonly<Record<string, unknown>>, string]>([
    ["delivery", { delivery: "none" }, 'its delivery is "none"'],
    [
      "program",
      { programs: { "m/x": { action: `../${ENTRY}`, output: ENTRY, bytes: 1 } } },
      "its program m/x is not one",
    ],
    ["object", { objects: { "../x": "fmt" } }, '"../x" is no output'],
    ["spare module", { spare: ["../x@v1"] }, '"../x@v1" is no version'],
    ["binary's file", binariesOf("aws", { file: "../x" }), "of aws is not one"],
    ["binary's folder", binariesOf("aws", { file: "binaries/.." }), "of aws is not one"],
    ["binary's provider", binariesOf("..", {}), "its binaries of .. are none"],
    ["command", binariesOf("aws", { names: { "m/x": "../x" } }), '"../x" cannot be'],
  ])("refuses a stray %s", (_, more, fault) => {
    expect(manifestFault(manifest([], [], more))).toContain(fault);
  });

  it("names what is missing", () => {
    expect(manifestFault({ version: 2 })).toBe("it has no contract");
    expect(manifestFault({ ...manifest([]), contract: {} as CacheManifest["contract"] })).toBe(
      "its contract is not one",
    );
  });
});

describe("planFault", () => {
  const plan: Plan = {
    version: 1,
    contract,
    pattern: "{provider}/{module}",
    programs: [{ provider: "aws", module: "a", directory: "aws/a", goModule: "." }],
    skipped: [],
    goModules: { ".": { required: ["example.com/sdk@v1.0.0"], spare: [] } },
    faults: {},
    allowFailed: [],
    shards: [{ id: "aws", programs: ["aws/a"], packages: { fmt: 1 }, cost: 1 }],
  };

  it("finds nothing in a plan, and names what another file lacks", () => {
    expect(planFault(plan)).toBeUndefined();
    expect(planFault({ version: 1 })).toBe("it has no contract");
    expect(planFault({ version: 1, contract, pattern: "", faults: {} })).toContain("programs");
  });

  it.each(["../outside", "/etc", "a/../../b"])("refuses the program directory %j", (directory) => {
    const programs = [{ provider: "aws", module: "a", directory, goModule: "." }];
    expect(planFault({ ...plan, programs })).toContain("is not below the source");
  });

  it.each(["../outside", "/etc", "a/../../b"])("refuses the Go module directory %j", (goModule) => {
    const programs = [{ provider: "aws", module: "a", directory: "aws/a", goModule }];
    expect(planFault({ ...plan, programs })).toContain("is not below the source");
  });

  it.each(["required", "spare"] as const)("refuses module names among the %s that are options or lead out", (list) => {
    const names = [
      "-x@v1.0.0",
      "--modfile=/etc/x@v1",
      "../../x@v1.0.0",
      "a/../b@v1.0.0",
      "/etc@v1",
      "a@v1/../../b",
      "a b@v1",
      "a",
    ];
    for (const name of names) {
      const goModules = { ".": { required: [], spare: [], [list]: ["example.com/sdk@v1.0.0", name] } };
      expect(planFault({ ...plan, goModules })).toBe(`"${name}" is no version of a Go module`);
    }
  });

  it("refuses a package name that Go would take for an option", () => {
    const shards = [{ id: "base", programs: [], packages: { fmt: 1, "-toolexec=/tmp/x": 1 }, cost: 1 }];
    expect(planFault({ ...plan, shards })).toBe('"-toolexec=/tmp/x" is no import path');
  });

  it.each(["skipped", "allowFailed", "shards", "programs", "goModules"] as const)(
    "names what is missing: %s",
    (name) => {
      for (const value of [undefined, null]) {
        expect(planFault({ ...plan, [name]: value })).toMatch(new RegExp(`^it has no .*${name}`));
      }
    },
  );

  it("refuses needs of a Go module that are no lists", () => {
    expect(planFault({ ...plan, goModules: { ".": {} } } as unknown as Plan)).toBe("it has no goModules");
  });
});

describe("a cache of another machine", () => {
  it("puts no file into a layer that it only links to, by itself or through a folder", async () => {
    const home = await temporaryDirectory();
    const secret = path.join(home, "secret");
    await writeText(secret, "root:x:0:0");
    const entry = `0a/${"0a".padEnd(64, "0")}-d`;
    const none = {
      whole: [],
      beside: [],
      programs: [],
      reads: [],
      goMod: [],
      spare: [],
      sources: [],
      ghosts: [],
      goModMetadata: [],
    };
    const layer = { name: "aws", goBuild: [entry], ...none, binaries: [] };
    const written = (cache: string) => writeLooseLayer(cache, layer, path.join(home, "layer.tar.gz"));

    const linked = path.join(home, "linked");
    await mkdir(path.join(linked, "go-build/0a"), { recursive: true });
    await symlink(secret, path.join(linked, "go-build", entry));
    await expect(written(linked)).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining(entry) as string,
    });

    const behind = path.join(home, "behind");
    await writeText(path.join(home, "elsewhere", path.basename(entry)), "x");
    await mkdir(path.join(behind, "go-build"), { recursive: true });
    await symlink(path.join(home, "elsewhere"), path.join(behind, "go-build/0a"));
    await expect(written(behind)).rejects.toThrow("is a link, or stands behind one");

    const own = path.join(home, "own");
    await writeText(path.join(own, "go-build", entry), "x");
    expect((await written(own)).contentBytes).toBe(1);
  });

  it("is refused, not stumbled over, where its files are damaged", () => {
    const documents: readonly object[] = [
      { contract: { environment: { constructor: "x" } } },
      { contract, modules: "x" },
      ...[
        { closures: { aws: null } },
        { closures: { aws: { goBuild: "x", goMod: [], sources: [] } } },
        { closures: { aws: { goBuild: [], goMod: [] } } },
        ...[{ modules: [null] }, { programs: { a: null } }, { objects: { [ENTRY]: 1 } }, { spare: [1] }],
        ...[{ binaries: [] }, { binaries: { aws: [null] } }],
      ].map((more) => ({ ...EMPTY_MANIFEST, ...more })),
    ];
    for (const document of documents) expect(manifestFault(document)).toEqual(expect.any(String));
  });

  it("has no plan that leads out of the source or its folders", () => {
    const sound = {
      ...{
        version: 1 as const,
        contract,
        pattern: "{provider}/{module}",
        skipped: [],
        goModules: {},
        faults: {},
        allowFailed: [],
      },
      ...{ programs: [], shards: [] },
    };
    expect(planFault(sound)).toBeUndefined();
    const programs = (provider: string) => [{ provider, module: "m", directory: "a", goModule: "." }];
    const shard = { id: "../x", programs: [], packages: {}, cost: 0 };
    const broken: readonly object[] = [
      { programs: [null] },
      { programs: programs("../../x") },
      { programs: programs("common") },
      { shards: [null] },
      { shards: [shard] },
      { goModules: { ".": null } },
      { skipped: [1] },
      { faults: { a: 1 } },
    ];
    for (const change of broken) expect(planFault({ ...sound, ...change })).toEqual(expect.any(String));
  });
});
