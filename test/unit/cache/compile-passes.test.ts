import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileBytes, giantsOf, passesBefore } from "../../../cache/compile-passes.ts";
import type { ListedPackage } from "../../../cache/go/list.ts";

const GIB = 1024 ** 3;

/** Packages as `go list -deps` names them, each after what it imports. */
function listed(imports: Readonly<Record<string, readonly string[]>>): readonly ListedPackage[] {
  return Object.entries(imports).map(([ImportPath, Imports]) => ({
    ...{ ImportPath, Imports },
    ...(/^[a-z]+\.io\//.test(ImportPath) ? {} : { Standard: true }),
  }));
}

const PACKAGES = listed({
  fmt: [],
  "vendor/x.org/y": [],
  "sdk.io/core": ["fmt"],
  "aws.io/aws": ["sdk.io/core", "fmt"],
  "cf.io/cf": ["sdk.io/core", "vendor/x.org/y", "unsafe"],
  "cf.io/more": ["cf.io/cf"],
  "my.io/one": ["cf.io/more"],
  "my.io/two": ["aws.io/aws"],
});

describe("giantsOf", () => {
  it("are the packages that a share does not suffice for, in the order of their imports", () => {
    const bytes = new Map([
      ["aws.io/aws", 3 * GIB],
      ["cf.io/cf", 11 * GIB],
      ["sdk.io/core", 1 * GIB],
    ]);
    expect(giantsOf(PACKAGES, bytes, 2 * GIB).map(({ importPath }) => importPath)).toEqual(["aws.io/aws", "cf.io/cf"]);
    expect(giantsOf(PACKAGES, bytes, 8 * GIB)).toEqual([{ importPath: "cf.io/cf", bytes: 11 * GIB }]);
    expect(giantsOf(PACKAGES, bytes, 16 * GIB)).toEqual([]);
  });
});

describe("compileBytes", () => {
  it.each([
    ["pulumi-auth0", 3.39e6, 165e6, 2.2e9],
    ["aws/ec2", 6.7e6, 262e6, 3.1e9],
  ])("is at least what %s was seen to take, and not much more", (_, source, archive, seen) => {
    expect(compileBytes(source, archive) / seen).toBeGreaterThan(0.95);
    expect(compileBytes(source, archive) / seen).toBeLessThan(1.15);
    expect(compileBytes(source) / seen).toBeGreaterThan(0.9);
    expect(compileBytes(source) / seen).toBeLessThan(1.35);
  });
});

describe("passesBefore", () => {
  const giants = [{ importPath: "cf.io/cf", bytes: 10 * GIB }];
  const shape = (passes: ReturnType<typeof passesBefore>) =>
    passes.map((stage) => stage.map(({ names, memory: { procs, share } }) => [names, procs, share / GIB]));

  it("are none without a giant", () => {
    expect(passesBefore(PACKAGES, [], 8 * GIB, 4)).toEqual([]);
  });

  it("compile what a giant imports, and then the giant beside all that does without it", () => {
    expect(shape(passesBefore(PACKAGES, giants, 20.5 * GIB, 4))).toEqual([
      [[["sdk.io/core"], 4, 5.125]],
      [
        [["cf.io/cf"], 1, 12.5],
        [["sdk.io/core", "aws.io/aws", "my.io/two"], 3, 8 / 3],
      ],
    ]);
  });

  it("give a giant the whole machine where nothing would be left for others", () => {
    expect(shape(passesBefore(PACKAGES, giants, 11 * GIB, 4))).toEqual([
      [[["sdk.io/core"], 4, 2.75]],
      [[["cf.io/cf"], 1, 11]],
    ]);
    expect(shape(passesBefore(PACKAGES, giants, 6 * GIB, 2)).at(-1)).toEqual([[["cf.io/cf"], 1, 6]]);
  });

  const both = [{ importPath: "aws.io/aws", bytes: 6 * GIB }, ...giants];

  it("compile as many giants at once as the memory holds", () => {
    const at = (gigabytes: number, cores: number) => shape(passesBefore(PACKAGES, both, gigabytes * GIB, cores)).at(-1);
    expect(at(24, 4)).toEqual([
      [["aws.io/aws", "cf.io/cf"], 2, 10],
      [["sdk.io/core"], 2, 2],
    ]);
    expect(at(17, 4)).toEqual([
      [["aws.io/aws", "cf.io/cf"], 2, 8],
      [["sdk.io/core"], 2, 0.5],
    ]);
    expect(at(16.4, 4)?.map(([names, procs]) => [names, procs])).toEqual([
      [["aws.io/aws", "cf.io/cf"], 1],
      [["sdk.io/core"], 3],
    ]);
    expect(at(16.4, 2)).toEqual([
      [["aws.io/aws", "cf.io/cf"], 1, 12.5],
      [["sdk.io/core"], 1, expect.closeTo(3.9)],
    ]);
  });

  it("name no giant among what giants import", () => {
    const chain = [{ importPath: "sdk.io/core", bytes: 9 * GIB }, ...giants];
    expect(shape(passesBefore(PACKAGES, chain, 10 * GIB, 2))).toEqual([
      [[["fmt"], 2, 5]],
      [[["sdk.io/core", "cf.io/cf"], 1, 10]],
    ]);
  });

  it("promise no more memory than there is", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.5, max: 12, noNaN: true }), { minLength: 1, maxLength: 3 }),
        fc.double({ min: 1, max: 64, noNaN: true }),
        fc.integer({ min: 1, max: 64 }),
        (sizes, gigabytes, cores) => {
          const names = ["aws.io/aws", "cf.io/cf", "my.io/one"];
          const all = sizes.map((size, index) => ({ importPath: names[index] ?? "", bytes: size * GIB }));
          for (const stage of passesBefore(PACKAGES, all, gigabytes * GIB, cores)) {
            const used = stage.reduce((sum, { memory }) => sum + memory.procs * memory.share, 0);
            expect(used).toBeLessThanOrEqual(gigabytes * GIB * 1.000001);
            expect(stage.reduce((sum, { memory }) => sum + memory.procs, 0)).toBeLessThanOrEqual(cores);
          }
        },
      ),
    );
  });
});
