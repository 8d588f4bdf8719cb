import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  buildContract,
  contractDifferences,
  IMAGE_PATHS,
  pulumiBuildFlags,
  contractFault,
  parseContractLabel,
  tagsOfContract,
} from "../../../cache/contract.ts";

const TOOLS = { go: "1.26.8", pulumi: "3.253.0" };

describe("pulumiBuildFlags", () => {
  it.each([
    ["3.0.0", []],
    ["3.99.0", []],
    ["3.232.9", []],
    ["3.233.0", ["-buildvcs=false"]],
    ["3.245.0", ["-buildvcs=false"]],
    ["3.246.0", ["-buildvcs=false", "-trimpath"]],
    ["3.247.0", ["-buildvcs=false", "-trimpath", "-ldflags=-w -s"]],
    ["v3.247.1-alpha.3", ["-buildvcs=false", "-trimpath", "-ldflags=-w -s"]],
    ["4.0.0", ["-buildvcs=false", "-trimpath", "-ldflags=-w -s"]],
    ["2.300.0", []],
  ])("of %s are %j", (version, flags) => {
    expect(pulumiBuildFlags(version)).toEqual(flags);
  });

  it.each(["latest", "3.x", "3.2a.0"])("refuses %j, which is no version", (text) => {
    expect(() => pulumiBuildFlags(text)).toThrow(RangeError);
  });

  it("never takes a flag back in a later version", () => {
    fc.assert(
      fc.property(fc.nat(400), fc.nat(400), (a, b) => {
        const [older, newer] = [Math.min(a, b), Math.max(a, b)].map((minor) => pulumiBuildFlags(`3.${minor}.0`));
        expect(newer).toEqual(expect.arrayContaining([...(older ?? [])]));
      }),
    );
  });
});

describe("buildContract", () => {
  it("is the image's: Linux, no cgo, fixed paths, the patch level of Go", () => {
    expect(buildContract(TOOLS, "amd64")).toEqual({
      goVersion: "go1.26.8",
      goos: "linux",
      goarch: "amd64",
      environment: { CGO_ENABLED: "0", GOEXPERIMENT: "", GOAMD64: "v1" },
      flags: ["-buildvcs=false", "-trimpath", "-ldflags=-w -s"],
      paths: IMAGE_PATHS,
    });
  });

  it("has the level of its architecture and no other's", () => {
    expect(buildContract(TOOLS, "arm64").environment).toEqual({
      ...{ CGO_ENABLED: "0", GOEXPERIMENT: "" },
      GOARM64: "v8.0",
    });
  });

  it("has build tags in GOFLAGS, in one order and once each", () => {
    const flags = (...tags: readonly string[]) => buildContract(TOOLS, "arm64", tags).environment.GOFLAGS;
    expect(flags()).toBeUndefined();
    expect(flags("netgo", "a_b.1", "netgo", "größe")).toBe("-tags=a_b.1,größe,netgo");
  });

  it.each(["", "a b", "a,b", "-race", "x=y", "!x", "a'b"])("refuses %j, which is no build tag", (tag) => {
    expect(() => buildContract(TOOLS, "amd64", ["netgo", tag])).toThrow(
      expect.objectContaining({ kind: "usage", message: `"${tag}" is no build tag` }),
    );
  });
});

describe("contractDifferences", () => {
  const contract = buildContract(TOOLS, "amd64");

  it("finds none between equal contracts, also after a trip through JSON", () => {
    expect(contractDifferences(contract, JSON.parse(JSON.stringify(contract)) as typeof contract)).toEqual([]);
  });

  it.each<[string, Partial<typeof contract>, readonly string[]]>([
    ["the patch level", { goVersion: "go1.26.7" }, ['Go version: "go1.26.8", "go1.26.7"']],
    ["the system", { goos: "darwin" }, ['GOOS: "linux", "darwin"']],
    ["the architecture", { goarch: "arm64" }, ['GOARCH: "amd64", "arm64"']],
    ["flags", { flags: ["-trimpath"] }, ['build flags: "-buildvcs=false -trimpath -ldflags=-w -s", "-trimpath"']],
    [
      "variables, also one that only one side has",
      { environment: { CGO_ENABLED: "1", GOEXPERIMENT: "", GOFIPS140: "latest" } },
      ['CGO_ENABLED: "0", "1"', 'GOAMD64: "v1", not set', 'GOFIPS140: not set, "latest"'],
    ],
    [
      "a path",
      { paths: { ...IMAGE_PATHS, goModCache: "/home/me/go/pkg/mod" } },
      ['goModCache: "/var/cache/go-mod", "/home/me/go/pkg/mod"'],
    ],
  ])("names %s", (_, change, differences) => {
    expect(contractDifferences(contract, { ...contract, ...change })).toEqual(differences);
  });

  it("is an empty variable other than none", () => {
    const without = { ...contract, environment: { CGO_ENABLED: "0", GOAMD64: "v1" } };
    expect(contractDifferences(contract, without)).toEqual(['GOEXPERIMENT: "", not set']);
  });
});

describe("contractFault", () => {
  const contract = buildContract(TOOLS, "amd64", ["netgo"]);

  it.each(["amd64", "arm64"])("finds nothing in kiln's own for %s", (goarch) => {
    expect(contractFault(buildContract(TOOLS, goarch))).toBeUndefined();
    expect(contractFault(buildContract({ ...TOOLS, pulumi: "3.200.0" }, goarch, ["a", "b.c"]))).toBeUndefined();
  });

  it.each<[string, object, RegExp]>([
    ["a flag that runs a program", { flags: ["-toolexec=/tmp/x"] }, /build flag "-toolexec=/],
    ["a flag that ends the shell's quotes", { flags: ["-ldflags=-w -s'; id; '"] }, /build flag/],
    ["a library to load", { environment: { ...contract.environment, LD_PRELOAD: "/tmp/x.so" } }, /sets LD_PRELOAD/],
    ["GOFLAGS of another kind", { environment: { GOFLAGS: "-tags=a -toolexec=x" } }, /sets GOFLAGS/],
    ["cgo", { environment: { CGO_ENABLED: "1" } }, /sets CGO_ENABLED/],
    ["caches elsewhere", { paths: { ...contract.paths, goRoot: "/tmp/go" } }, /has goRoot elsewhere/],
    ["no flags", { flags: undefined }, /is not one/],
    ["no paths", { paths: null }, /is not one/],
  ])("names %s", (_, change, says) => {
    expect(contractFault({ ...contract, ...change })).toMatch(says);
  });

  it("names what is no contract at all", () => {
    for (const found of [undefined, null, "x"]) expect(contractFault(found)).toBe("it has no contract");
  });
});

describe("parseContractLabel", () => {
  const contract = buildContract(TOOLS, "amd64", ["netgo", "aws"]);

  it("reads what kiln writes", () => {
    expect(parseContractLabel("i", JSON.stringify(contract))).toEqual(contract);
    expect(tagsOfContract(contract)).toEqual(["aws", "netgo"]);
    expect(tagsOfContract(buildContract(TOOLS, "amd64"))).toEqual([]);
  });

  it.each(["", "{", "null", '{"goVersion":"go1.26.8"}'])("names the image whose label is %j", (label) => {
    expect(() => parseContractLabel("reg/x:1", label)).toThrow(/^the label dev\.kiln\.contract of reg\/x:1 is damaged/);
  });
});
