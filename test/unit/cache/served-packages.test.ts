import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ListedPackage } from "../../../cache/go/list.ts";
import { PackageTally, servedText } from "../../../cache/served-packages.ts";

const built = (name: string, directory = `/go/src/${name}`): ListedPackage => ({
  ...{ ImportPath: name, Dir: directory, Export: `/cache/${name}-d` },
});

function tallyOf(...listings: readonly (readonly [readonly ListedPackage[], readonly string[]])[]) {
  const tally = new PackageTally();
  for (const [packages, lines] of listings) tally.add(packages, new Set(lines));
  return tally.counts;
}

describe("PackageTally", () => {
  it("takes what Go names while it compiles for a miss, and what else it built for a hit", () => {
    expect(
      tallyOf([
        [built("fmt"), built("io"), built("os")],
        ["io", "go: downloading io v1.0.0"],
      ]),
    ).toEqual({
      ...{ hits: 2, misses: 1 },
    });
  });

  it("counts nothing that was not built: unsafe, and what imports a package that fails", () => {
    const broken = { ImportPath: "a/broken", Dir: "/a/broken", Error: { Err: "undefined: x" } };
    const above = { ImportPath: "a/main", Dir: "/a/main" };
    const unsafe = { ImportPath: "unsafe", Dir: "/go/src/unsafe", Standard: true };
    expect(tallyOf([[built("fmt"), unsafe, broken, above], ["a/broken"]])).toEqual({ hits: 1, misses: 1 });
  });

  it("takes no package for a hit that an earlier go.mod of the shard had to compile", () => {
    const listing = [built("fmt"), built("io")];
    expect(tallyOf([listing, ["fmt", "io"]], [listing, []])).toEqual({ hits: 0, misses: 2 });
    expect(tallyOf([listing, []], [listing, ["io"]])).toEqual({ hits: 1, misses: 1 });
  });

  it("tells packages of one import path apart by their directories", () => {
    const [old, fresh] = [built("a.io/b", "/mod/a.io/b@v1.0.0"), built("a.io/b", "/mod/a.io/b@v2.0.0")];
    expect(tallyOf([[old], []], [[fresh], ["a.io/b"]])).toEqual({ hits: 1, misses: 1 });
  });

  it("counts every package that was built once, whatever was compiled", () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,3}$/));
    fc.assert(
      fc.property(fc.array(fc.tuple(names, names)), (listings) => {
        const { hits, misses } = tallyOf(
          ...listings.map(([listed, lines]) => [listed.map((name) => built(name)), lines] as const),
        );
        expect(hits + misses).toBe(new Set(listings.flatMap(([listed]) => listed)).size);
      }),
    );
  });
});

describe("servedText", () => {
  it.each([
    [{ hits: 0, misses: 68 }, "0 of 68 packages came from the store (0%), 68 were compiled"],
    [{ hits: 67, misses: 1 }, "67 of 68 packages came from the store (98%), 1 were compiled"],
    [{ hits: 0, misses: 0 }, "no packages to compile"],
  ])("of %j is %j", (served, text) => {
    expect(servedText(served)).toBe(text);
  });
});
