import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import type { BuildInputs } from "../../../../cache/explain/build-inputs.ts";
import {
  explain,
  missedPackages,
  nearest,
  programDirectory,
  type PresentBuild,
  type WarmedCache,
} from "../../../../cache/explain/explain.ts";
import { parseProbe, withSettings } from "../../../../cache/explain/site.ts";
import { readInputs, type BuildPackage } from "../../../../cache/explain/listed-build.ts";
import type { ProgramCheck } from "../../../../cache/verify.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";
import { CONTRACT, writeText } from "../cache-directory.ts";

const DIRECTORY = "m/aws/bucket";
const STALE = { Stale: true, StaleReason: "build ID mismatch" };

let source: string;
let listed: BuildPackage[];
let inputs: BuildInputs;
let check: Partial<ProgramCheck>;
let fault: string | undefined;
let built: number;

beforeEach(async () => {
  source = await temporaryDirectory();
  [check, fault, built] = [{}, undefined, 0];
  await writeText(path.join(source, "go.mod"), "module x\n\ngo 1.26\n\nrequire sdk.io/aws v1.0.0\n");
  await writeText(path.join(source, "shared/shared.go"), "package shared\n");
  await writeText(path.join(source, DIRECTORY, "main.go"), "package main\n");
  const module = { Path: "x", GoMod: path.join(source, "go.mod") };
  listed = [
    { ImportPath: "unsafe", Standard: true },
    { ImportPath: "fmt", Standard: true },
    {
      ImportPath: "sdk.io/aws",
      Dir: "/var/cache/go-mod/sdk.io/aws@v1.0.0",
      Module: { Path: "sdk.io/aws", Version: "v1.0.0" },
    },
    { ImportPath: "x/shared", Dir: path.join(source, "shared"), Module: module, GoFiles: ["shared.go"] },
    {
      ImportPath: `x/${DIRECTORY}`,
      Name: "main",
      Dir: path.join(source, DIRECTORY),
      Module: module,
      GoFiles: ["main.go"],
      Imports: ["fmt", "sdk.io/aws", "x/shared"],
    },
  ];
  inputs = await readInputs(source, source, listed, [DIRECTORY]);
});

const warmed = (more: Partial<WarmedCache> = {}): WarmedCache => ({
  ...{ contract: CONTRACT, modules: [DIRECTORY], failed: {}, inputs: { aws: inputs } },
  ...more,
});

function present(): PresentBuild {
  const print = (entry: BuildPackage) => JSON.stringify(entry, null, 1);
  return {
    contract: CONTRACT,
    site: {
      root: source,
      go: () =>
        Promise.resolve({
          code: fault === undefined ? 0 : 1,
          stdout: listed.map(print).join("\n"),
          stderr: fault ?? "",
        }),
    },
    telling: { builder: "this kiln", settings: [], again: "warm again", instead: "use the older kiln" },
    verify: ({ directory }) => {
      built++;
      const program = { directory, compiled: [], firstSeconds: 1.5, ...check };
      const passed = program.compiled.length === 0 && program.error === undefined;
      return Promise.resolve({ programs: [program], compileActions: program.compiled.length, passed });
    },
  };
}

const explained = (more: Partial<WarmedCache> = {}) => explain(warmed(more), present(), source, DIRECTORY);
const stale = (...importPaths: readonly string[]) => {
  listed = listed.map((entry) => (importPaths.includes(entry.ImportPath) ? { ...entry, ...STALE } : entry));
};

describe("explain", () => {
  it("says that a program is warm only after a real build of it", async () => {
    expect(await explained()).toEqual({
      ...{ module: DIRECTORY, provider: "aws", warm: true, differences: [], seconds: 1.5 },
      compiles: { packages: [], of: 4 },
      line: `${DIRECTORY} is warm: nothing would be compiled`,
    });
    expect(built).toBe(1);
  });

  it("takes a build that compiled for cold, whatever Go foretold", async () => {
    check = { compiled: ["fmt"] };
    expect(await explained()).toMatchObject({
      warm: false,
      line: expect.stringContaining("the entry of fmt is missing") as string,
    });
    check = { error: "go build exited with 1\nno space left" };
    expect(await explained()).toMatchObject({ warm: false, line: expect.stringContaining("no space left") as string });
  });

  it("names the deepest file that changed, with what would be compiled, and builds nothing", async () => {
    await writeText(path.join(source, DIRECTORY, "main.go"), "package main // 2\n");
    await writeText(path.join(source, "shared/shared.go"), "package shared // 2\n");
    stale("x/shared", `x/${DIRECTORY}`);
    const found = await explained();
    expect(found.line).toBe("shared/shared.go changed since warming: warm again");
    expect(found.compiles).toEqual({ packages: ["x/shared", `x/${DIRECTORY}`], of: 4 });
    expect([found.warm, found.differences.length, built]).toEqual([false, 2, 0]);
  });

  it("says that an entry is lost where nothing differs", async () => {
    stale("fmt");
    const { line } = await explained();
    expect(line).toBe(
      "the entry of fmt is missing from the cache or damaged, all inputs being those of its warming: warm again",
    );
  });

  it("calls a program warm whose inputs differ without effect, and tells them", async () => {
    await writeText(path.join(source, "go.work"), "go 1.26\n\nuse .\n");
    expect(await explained()).toMatchObject({ warm: true, differences: [{ input: "go.work" }] });
  });

  it("takes another contract for cold, as verify does", async () => {
    const { warm, line } = await explained({ contract: { ...CONTRACT, goVersion: "go1.25.0" } });
    expect([warm, line]).toEqual([false, expect.stringContaining("Go version: warmed with go1.25.0") as string]);
  });

  it("names the raised module rather than what Go looks for in vain", async () => {
    await writeText(path.join(source, "go.mod"), "module x\n\ngo 1.26\n\nrequire sdk.io/aws v1.1.0\n");
    fault = 'go: sdk.io/aws@v1.1.0: Get "https://me:secret@proxy.io/x": dial tcp: no route';
    const found = await explained();
    expect(found.line).toBe("sdk.io/aws v1.0.0 was warmed, go.mod asks for v1.1.0: warm again, or go back to v1.0.0");
    expect(found.fault).toBe("sdk.io/aws@v1.1.0 is not in the cache");
    expect(found.compiles).toBeUndefined();
  });

  it("names the go.mod that wants a newer Go before all else", async () => {
    await writeText(path.join(source, "go.mod"), "module x\n\ngo 1.99\n\nrequire sdk.io/aws v1.0.0\n");
    fault = "go: go.mod requires go >= 1.99";
    expect((await explained()).line).toMatch(/^go\.mod has the line "go 1\.99", which is newer/);
  });

  it("gives Go's own words where it knows no input that differs", async () => {
    fault = "go: missing go.sum entry\nto add it";
    const { line } = await explained();
    expect(line).toBe(`Go cannot load ${DIRECTORY} from the cache alone: go: missing go.sum entry`);
  });

  it("says that a program was never warmed, with the providers and the nearest that were", async () => {
    stale(`x/${DIRECTORY}`);
    const other: BuildInputs = { ...inputs, programs: {} };
    const { line, warm } = await explained({ inputs: { aws: other }, modules: ["m/aws/bucket-two", "z/y"] });
    expect([warm, line]).toEqual([
      false,
      `${DIRECTORY} was never warmed: warm again with a --modules pattern that matches it; 2 programs of aws are warm, such as m/aws/bucket-two, z/y`,
    ]);
  });

  it("says why a program was not warmed", async () => {
    stale(`x/${DIRECTORY}`);
    const failed = { [DIRECTORY]: "main.go:3: undefined: x" };
    const { line } = await explained({ inputs: {}, modules: [], failed });
    expect(line).toBe(`${DIRECTORY} did not compile when it was to be warmed: main.go:3: undefined: x`);
  });

  it("asks to warm again where a cache says nothing of its inputs", async () => {
    expect((await explained({ inputs: undefined, modules: [] })).warm).toBe(true);
    stale("x/shared");
    const { line } = await explained({ inputs: undefined, modules: [] });
    expect(line).toBe(
      `x/shared would be compiled, and what ${DIRECTORY} was warmed from was not noted: warm again with this kiln to be told the input`,
    );
  });

  it("refuses a directory without a program", async () => {
    listed = [{ ImportPath: "x/shared", Name: "shared", Dir: path.join(source, "shared") }];
    await expect(explain(warmed(), present(), source, "shared")).rejects.toMatchObject({
      kind: "usage",
      message: "shared holds no Go main package",
      mend: expect.stringContaining("relative to --source") as string,
    });
  });
});

describe("missedPackages", () => {
  it("counts neither what only is not installed nor the compiler's own package", () => {
    const list: readonly BuildPackage[] = [
      { ImportPath: "unsafe", ...STALE },
      { ImportPath: "b", Stale: true, StaleReason: "stale dependency: c" },
      { ImportPath: "c", ...STALE },
      { ImportPath: "main", Stale: true, StaleReason: "not installed but available in build cache" },
      { ImportPath: "d" },
    ];
    expect(missedPackages(list)).toEqual({ all: ["b", "c"], deepest: "c", of: 4 });
  });
});

describe("programDirectory", () => {
  it("is relative to the source, however it was written", async () => {
    for (const module of [DIRECTORY, `./${DIRECTORY}/`, path.join(source, DIRECTORY), `${DIRECTORY}/../bucket`]) {
      expect(await programDirectory(source, module, [])).toBe(DIRECTORY);
    }
    expect(await programDirectory(source, ".", [])).toBe(".");
  });

  it("refuses what is not there, with the nearest names and what --module means", async () => {
    await expect(programDirectory(source, "m/aws/bukcet", ["m/gcp/bucket", "m/aws/bucket", "z"])).rejects.toMatchObject(
      {
        kind: "usage",
        message: `there is no directory m/aws/bukcet in ${source}`,
        mend: expect.stringMatching(/relative to --source.* Programs with a like name: m\/aws\/bucket,/) as string,
      },
    );
    await expect(programDirectory(source, "../x", [])).rejects.toMatchObject({ kind: "usage" });
  });
});

describe("nearest", () => {
  it("ranks by what two names begin and end with", () => {
    expect(nearest("m/aws/s3", ["m/gcp/sql", "m/aws/s3-bucket", "m/aws/s3", "x", "n/aws/s3"])).toEqual([
      "m/aws/s3-bucket",
      "n/aws/s3",
      "m/gcp/sql",
    ]);
    expect(nearest("a", [])).toEqual([]);
  });
});

describe("withSettings", () => {
  const set = (name: string, value: string) => ({ name, value, where: "the environment", unset: `unset ${name}` });
  const tagged = { ...CONTRACT, environment: { ...CONTRACT.environment, GOFLAGS: "-tags=x" } };

  it("is kiln's own contract where nobody sets anything, with the tags of the warming", () => {
    expect(withSettings(CONTRACT, CONTRACT, [], undefined)).toEqual(CONTRACT);
    expect(withSettings(CONTRACT, tagged, [], undefined).environment.GOFLAGS).toBe("-tags=x");
  });

  it("has what a shell sets", () => {
    const settings = [set("GOARCH", "arm64"), set("CGO_ENABLED", "1"), set("GOFLAGS", "-v -race")];
    const { goarch, environment } = withSettings(CONTRACT, CONTRACT, settings, undefined);
    expect([goarch, environment.CGO_ENABLED, environment.GOFLAGS]).toEqual(["arm64", "1", "-race"]);
    expect(environment.GOARCH).toBeUndefined();
  });

  it("loses the tags of the warming only to flags that decide", () => {
    const flags = (value: string) =>
      withSettings(CONTRACT, tagged, [set("GOFLAGS", value)], undefined).environment.GOFLAGS;
    expect([flags("-v"), flags("-tags=y")]).toEqual(["-tags=x", "-tags=y"]);
  });

  it.each([
    ["off", undefined, undefined],
    ["off", "go.work", "off"],
    ["/src/go.work", "go.work", undefined],
    ["/other/go.work.2", "go.work", "/other/go.work.2"],
  ])("counts GOWORK=%s, where %s governs, as %s", (value, goWork, counted) => {
    expect(withSettings(CONTRACT, CONTRACT, [set("GOWORK", value)], goWork).environment.GOWORK).toBe(counted);
  });
});

describe("parseProbe", () => {
  const GO = {
    ...{ GOVERSION: "go1.26.8", GOOS: "linux", GOARCH: "amd64", CGO_ENABLED: "0", GOEXPERIMENT: "", GOAMD64: "v1" },
    ...{ GOFLAGS: "", GOROOT: "/usr/local/go", GOMODCACHE: "/var/cache/go-mod", GOCACHE: "/var/cache/go-build" },
  };
  const printed = (go: object, recorded = "", pulumi = "v3.253.0\n") =>
    `kiln-inputs\n${recorded}kiln-go\n${JSON.stringify(go, null, 1)}\nkiln-pulumi\n${pulumi}`;

  it("finds the contract of an image that is as it was warmed, and no inputs where it carries none", () => {
    expect(parseProbe(printed(GO), CONTRACT)).toEqual({ inputs: undefined, contract: CONTRACT });
    expect(parseProbe(printed(GO, "", ""), CONTRACT).contract).toEqual(CONTRACT);
  });

  it("finds what somebody changed in it", () => {
    const changed = {
      ...GO,
      GOVERSION: "go1.26.9",
      GOFLAGS: "-mod=readonly -tags=x",
      CGO_ENABLED: "1",
      GOCACHE: "/tmp/x",
    };
    const { contract } = parseProbe(printed(changed, "", "v3.240.0\n"), CONTRACT);
    expect(contract).toMatchObject({
      ...{ goVersion: "go1.26.9", flags: ["-buildvcs=false"] },
      environment: { GOFLAGS: "-tags=x", CGO_ENABLED: "1" },
      paths: { goBuildCache: "/tmp/x" },
    });
  });

  it("reads the inputs of every provider", () => {
    const line = (provider: string) => `${JSON.stringify({ version: 1, provider, ...inputs })}\n`;
    expect(Object.keys(parseProbe(printed(GO, line("aws") + line("gcp")), CONTRACT).inputs ?? {})).toEqual([
      "aws",
      "gcp",
    ]);
  });
});
