import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  differences,
  programBuild,
  pulumiWith,
  type ProgramBuild,
  type Telling,
} from "../../../../cache/explain/differences.ts";
import { pulumiBuildFlags } from "../../../../cache/contract.ts";
import { CONTRACT } from "../cache-directory.ts";

const TELLING: Telling = { builder: "this kiln", settings: [], again: "warm again", instead: "use the older kiln" };

const WARMED: ProgramBuild = {
  contract: CONTRACT,
  goFiles: { "go.mod": { go: "1.26" } },
  modules: { "sdk.io/aws/v7": "v7.12.0", "sdk.io/pulumi": "v3.1.0" },
  packages: [
    ["shared", { "shared.go": "1", "linux.go": "2" }],
    ["m/aws/bucket", { "main.go": "3" }],
  ],
};

const withContract = (change: Partial<ProgramBuild["contract"]>): ProgramBuild => ({
  ...WARMED,
  contract: { ...CONTRACT, ...change },
});
const withEnvironment = (name: string, value: string) =>
  withContract({ environment: { ...CONTRACT.environment, [name]: value } });
const withFiles = (...packages: ProgramBuild["packages"]): ProgramBuild => ({ ...WARMED, packages });
const [SHARED, MAIN] = WARMED.packages as [ProgramBuild["packages"][number], ProgramBuild["packages"][number]];

/** One change each, in the order in which they are told, with the line that a person reads. */
const CHANGES: readonly (readonly [string, ProgramBuild, string])[] = [
  [
    "another Go",
    withContract({ goVersion: "go1.26.9" }),
    "Go version: warmed with go1.26.8, this kiln builds with go1.26.9: warm again, or use the older kiln",
  ],
  [
    "another architecture",
    withContract({ goarch: "arm64" }),
    "GOARCH: warmed with amd64, this kiln builds with arm64: warm again, or use the older kiln",
  ],
  [
    "cgo",
    withEnvironment("CGO_ENABLED", "1"),
    "CGO_ENABLED: warmed with 0, this kiln builds with 1: warm again, or use the older kiln",
  ],
  [
    "flags of an older Pulumi",
    withContract({ flags: pulumiBuildFlags("3.246.0") }),
    'build flags: warmed with "-buildvcs=false -trimpath -ldflags=-w -s" (Pulumi 3.247 and later), this kiln builds with "-buildvcs=false -trimpath" (Pulumi 3.246): warm again, or use the older kiln',
  ],
  [
    "tags",
    withEnvironment("GOFLAGS", "-tags=x"),
    "GOFLAGS: warmed without it, this kiln builds with -tags=x: warm again, or use the older kiln",
  ],
  [
    "a cache elsewhere",
    withContract({ paths: { ...CONTRACT.paths, goBuildCache: "/tmp/x" } }),
    "GOCACHE: warmed with /var/cache/go-build, this kiln builds with /tmp/x: warm again, or use the older kiln",
  ],
  [
    "a workspace",
    { ...WARMED, goFiles: { ...WARMED.goFiles, "go.work": { go: "1.26" } } },
    "go.work governs the build and did not at warming: remove it, or warm again",
  ],
  [
    "a lowered go line",
    { ...WARMED, goFiles: { "go.mod": { go: "1.25" } } },
    'go.mod says "go 1.25", and was warmed when it said "go 1.26": warm again, or put it back',
  ],
  [
    "a godebug line",
    { ...WARMED, goFiles: { "go.mod": { go: "1.26", godebug: ["http2client=0"] } } },
    'go.mod says "godebug http2client=0", and was warmed when it had none: warm again, or put it back',
  ],
  [
    "a raised module",
    { ...WARMED, modules: { ...WARMED.modules, "sdk.io/aws/v7": "v7.13.0" } },
    "sdk.io/aws/v7 v7.12.0 was warmed, go.mod asks for v7.13.0: warm again, or go back to v7.12.0",
  ],
  [
    "a replaced module",
    { ...WARMED, modules: { ...WARMED.modules, "sdk.io/pulumi": "=> ../pulumi" } },
    "sdk.io/pulumi v3.1.0 was warmed, go.mod puts ../pulumi in its place: warm again, or go back to v3.1.0",
  ],
  [
    "another go.mod",
    { ...WARMED, goFiles: { ...WARMED.goFiles, "m/aws/bucket/go.mod": { go: "1.26" } } },
    "m/aws/bucket/go.mod governs the build and did not at warming: remove it, or warm again",
  ],
  [
    "a changed file of what is shared",
    withFiles(["shared", { ...SHARED[1], "shared.go": "9" }], MAIN),
    "shared/shared.go changed since warming: warm again",
  ],
  [
    "a changed file of the program",
    withFiles(SHARED, ["m/aws/bucket", { "main.go": "9" }]),
    "m/aws/bucket/main.go changed since warming: warm again",
  ],
  [
    "a new file",
    withFiles(SHARED, ["m/aws/bucket", { ...MAIN[1], "more.go": "4" }]),
    "m/aws/bucket/more.go was added since warming: warm again",
  ],
  [
    "a lost file",
    withFiles(["shared", { "shared.go": "1" }], MAIN),
    "shared/linux.go is not compiled any more, and was at warming: warm again",
  ],
  [
    "a new package",
    withFiles(["lib", { "lib.go": "5" }], SHARED, MAIN),
    "lib is compiled now and was not at warming: warm again",
  ],
  [
    "a new module",
    { ...WARMED, modules: { ...WARMED.modules, "new.io/x": "v1.0.0" } },
    "new.io/x v1.0.0 is compiled now and was not at warming: warm again",
  ],
];

describe("differences", () => {
  it("finds none between a build and itself", () => {
    expect(differences(WARMED, structuredClone(WARMED), TELLING)).toEqual([]);
  });

  it.each(CHANGES)("tells %s, and nothing else", (_, present, line) => {
    expect(differences(WARMED, present, TELLING).map((difference) => difference.line)).toEqual([line]);
  });

  it("names the setting of a shell and the command that takes it away, not kiln", () => {
    const settings = [
      { name: "GOFLAGS", value: "-v -tags=x", where: "the environment", unset: "unset GOFLAGS" },
      { name: "CGO_ENABLED", value: "1", where: "/home/me/go/env", unset: "go env -u CGO_ENABLED" },
    ];
    const environment = { ...CONTRACT.environment, GOFLAGS: "-tags=x", CGO_ENABLED: "1" };
    const found = differences(WARMED, withContract({ environment }), { ...TELLING, settings });
    expect(found.map(({ kind, line }) => [kind, line])).toEqual([
      ["setting", "CGO_ENABLED=1 is set in /home/me/go/env, and the cache was warmed with 0: go env -u CGO_ENABLED"],
      ["setting", "GOFLAGS=-v -tags=x is set in the environment, and the cache was warmed without it: unset GOFLAGS"],
    ]);
  });

  it("tells what is gone as a note, since nothing is compiled for it", () => {
    const present = { ...WARMED, modules: {}, packages: [MAIN] };
    expect(differences(WARMED, present, TELLING).map(({ kind, input }) => [kind, input])).toEqual([
      ["note", "shared"],
      ["note", "sdk.io/aws/v7"],
      ["note", "sdk.io/pulumi"],
    ]);
  });

  it("calls a vendored package by its directory, and a file of the source itself by its name", () => {
    const warmed = withFiles(["vendor/v.io/v", { ".": "1" }], [".", { "main.go": "1" }]);
    const present = withFiles(["vendor/v.io/v", { ".": "2" }], [".", { "main.go": "2" }]);
    expect(differences(warmed, present, TELLING).map(({ input }) => input)).toEqual(["vendor/v.io/v", "main.go"]);
  });

  const files = fc.dictionary(fc.constantFrom("a.go", "b.go", "c.s"), fc.constantFrom("1", "2"), {
    noNullPrototype: true,
  });
  const build = fc
    .record({
      goVersion: fc.constantFrom("go1.26.7", "go1.26.8"),
      tags: fc.constantFrom("", "-tags=x"),
      goFiles: fc.dictionary(
        fc.constantFrom("go.mod", "x/go.mod", "go.work"),
        fc.record({ go: fc.constantFrom("1.25", "1.26") }),
      ),
      modules: fc.dictionary(fc.constantFrom("m.io/a", "m.io/b"), fc.constantFrom("v1.0.0", "v1.1.0", "=> ../a")),
      packages: fc.dictionary(fc.constantFrom("lib", "shared", "main"), files).map((record) => Object.entries(record)),
    })
    .map(({ goVersion, tags, ...rest }): ProgramBuild => ({
      ...rest,
      contract: {
        ...CONTRACT,
        goVersion,
        environment: { ...CONTRACT.environment, ...(tags === "" ? {} : { GOFLAGS: tags }) },
      },
    }));
  const ORDER = ["contract", "go line", "module", "file", "package", "note"];

  it("is empty exactly where two builds are made of the same, and tells each input once", () => {
    fc.assert(
      fc.property(build, build, (warmed, present) => {
        const found = differences(warmed, present, TELLING);
        const inputs = (of: ProgramBuild) =>
          JSON.stringify({ ...of, packages: [...of.packages].sort(([a], [b]) => (a < b ? -1 : 1)) }, sortedKeys);
        expect(found.length === 0).toBe(inputs(warmed) === inputs(present));
        expect(new Set(found.map(({ line }) => line)).size).toBe(found.length);
      }),
    );
  });

  it("tells the contract before all else, and versions before the files that follow from them", () => {
    fc.assert(
      fc.property(build, build, (warmed, present) => {
        const found = differences(warmed, present, TELLING);
        const contract = found.findLastIndex(({ kind }) => kind === "contract");
        expect(found.slice(0, contract + 1).every(({ kind }) => kind === "contract")).toBe(true);
        const version = found.findLastIndex(
          ({ kind, warmed: old, present: now }) => kind === "module" && old !== undefined && now !== undefined,
        );
        const file = found.findIndex(({ kind }) => kind === "file");
        if (file !== -1) expect(version).toBeLessThan(file);
        expect(found.every(({ kind }) => ORDER.includes(kind))).toBe(true);
      }),
    );
  });

  it("tells the file of a dependency before those of what imports it", () => {
    const order = fc.shuffledSubarray(["a", "b", "c", "d"], { minLength: 2 });
    fc.assert(
      fc.property(order, (folders) => {
        const of = (digest: string) => withFiles(...folders.map((folder) => [folder, { "x.go": digest }] as const));
        expect(differences(of("1"), of("2"), TELLING).map(({ input }) => input)).toEqual(
          folders.map((folder) => `${folder}/x.go`),
        );
      }),
    );
  });
});

function sortedKeys(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

describe("programBuild", () => {
  it("is what one program among many was built from", () => {
    const program = { goFiles: ["go.mod"], packages: ["shared", "m/aws/bucket"], modules: WARMED.modules };
    const inputs = {
      programs: { "m/aws/bucket": program },
      goFiles: { "go.mod": { go: "1.26" }, "x/go.mod": {} },
      packages: { ...Object.fromEntries(WARMED.packages), other: { "o.go": "1" } },
    };
    expect(programBuild(inputs, CONTRACT, "m/aws/bucket")).toEqual(WARMED);
    expect(programBuild(inputs, CONTRACT, "m/aws/other")).toBeUndefined();
  });
});

describe("pulumiWith", () => {
  it.each([
    ["3.100.0", " (Pulumi up to 3.232)"],
    ["3.240.0", " (Pulumi 3.233 to 3.245)"],
    ["3.246.2", " (Pulumi 3.246)"],
    ["3.253.0", " (Pulumi 3.247 and later)"],
  ])("knows the versions that build as %s does", (version, said) => {
    expect(pulumiWith({ flags: pulumiBuildFlags(version) })).toBe(said);
  });

  it("knows none that passes other flags", () => {
    expect(pulumiWith({ flags: ["-race"] })).toBe("");
  });
});
