import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildContract, contractDifferences, IMAGE_PATHS, pulumiBuildFlags } from "../../../cache/contract.ts";

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

  it("has no amd64 level on another architecture", () => {
    expect(buildContract(TOOLS, "arm64").environment).toEqual({ CGO_ENABLED: "0", GOEXPERIMENT: "" });
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
