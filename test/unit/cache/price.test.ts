import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { closureOf } from "../../../cache/graph.ts";
import type { PackagesDocument } from "../../../cache/packages-document.ts";
import { weighGraph } from "../../../cache/plan/weighed-graph.ts";
import { priceOf, type PresentPackages } from "../../../cache/price.ts";
import { CONTRACT } from "./cache-directory.ts";
import { packageOf, programOf, repository, REST } from "./plan/repository.ts";

const PROGRAMS = [programOf("m/aws/a", "aws"), programOf("m/gcp/b", "gcp")];

/** Two programs over one core and a kit each; `change` gives other packages. */
function presentWith(change: Readonly<Record<string, readonly string[]>> = {}): PresentPackages {
  const imports: Readonly<Record<string, readonly string[]>> = {
    "core@v1": [],
    "aws@v1": ["core@v1"],
    "gcp@v1": ["core@v1"],
    "./lib": [],
    "./m/aws/a": ["aws@v1", "./lib"],
    "./m/gcp/b": ["gcp@v1"],
    ...change,
  };
  const packages = new Map(Object.entries(imports).map(([key, below]) => [key, packageOf(key, below, 100_000)]));
  const roots = new Map(PROGRAMS.map(({ directory }) => [directory, `./${directory}`]));
  const timings = { seconds: { "aws@v1": 8, "aws@v2": 9 }, bytes: { "aws@v1": 800, "aws@v2": 900 } };
  return {
    graph: weighGraph({ ...REST, packages, roots }, PROGRAMS, timings),
    contract: CONTRACT,
    local: { lib: "1", "m/aws/a": "2", "m/gcp/b": "3" },
  };
}

/** What an image says that was baked of something. */
function bakedOf({ graph, contract, local }: PresentPackages): PackagesDocument {
  const layers: Record<string, Record<string, number>> = {};
  for (const { packages, layers: priced } of [priceOf({ graph, contract, local }, NOTHING)]) {
    for (const { name } of priced) layers[name] = {};
    for (const { key, layer, bytes } of packages) Object.assign((layers[layer] ??= {}), { [key]: bytes });
  }
  return { version: 1, contract, layers, sizes: {}, local };
}

const NOTHING: PackagesDocument = { version: 1, contract: CONTRACT, layers: {}, sizes: {}, local: {} };

const reasonsOf = (price: ReturnType<typeof priceOf>) =>
  Object.fromEntries(price.packages.map(({ key, reason }) => [key, reason]));

describe("priceOf", () => {
  it("is nothing where nothing changed", () => {
    const price = priceOf(presentWith(), bakedOf(presentWith()));
    expect(price).toMatchObject({ differences: [], packages: [], programs: [], bytes: 0, pushed: 0 });
    expect(price.seconds).toEqual({ compile: 0, link: 0 });
  });

  it("of a raised module is its packages and all that import them, in their layers", () => {
    const { "aws@v1": before, ...rest } = { "aws@v1": [], "aws@v2": ["core@v1"], "./m/aws/a": ["aws@v2", "./lib"] };
    const price = priceOf(presentWith(rest), bakedOf(presentWith()));
    expect(before).toEqual([]);
    expect(reasonsOf(price)).toEqual({ "aws@v2": "new", "./m/aws/a": "imports" });
    expect(price.packages[0]).toEqual({
      ...{ key: "aws@v2", reason: "new", layer: "aws", seconds: 9, bytes: 900, measured: true },
    });
    expect(price.programs).toEqual(["m/aws/a"]);
    expect(price.seconds.link).toBe(1.6);
    const [common, aws, gcp] = price.layers;
    expect(common).toMatchObject({ name: "common", compiled: 0, dropped: 0, pushed: 0 });
    expect(aws).toMatchObject({ name: "aws", compiled: 2, dropped: 1 });
    expect(aws?.pushed).toBeGreaterThan(0);
    expect(gcp).toMatchObject({ name: "gcp", compiled: 0, pushed: 0 });
  });

  it("of an edited package is itself and its dependents", () => {
    const present = presentWith();
    const price = priceOf({ ...present, local: { ...present.local, lib: "other" } }, bakedOf(present));
    expect(reasonsOf(price)).toEqual({ "./lib": "edited", "./m/aws/a": "imports" });
  });

  it("of another contract is everything", () => {
    const present = presentWith();
    const contract = { ...CONTRACT, goVersion: "go1.26.7" };
    const price = priceOf({ ...present, contract }, bakedOf(present));
    expect(price.differences).toEqual([expect.stringContaining("Go version")]);
    expect(new Set(Object.values(reasonsOf(price)))).toEqual(new Set(["contract"]));
    expect(price.packages).toHaveLength(6);
  });

  it("pushes a layer that loses a package to another, though nothing is compiled", () => {
    const alone = presentWith({ "gcp@v1": [] });
    const price = priceOf(presentWith({ "gcp@v1": ["core@v1"] }), {
      ...bakedOf(presentWith()),
      layers: bakedOf(alone).layers,
    });
    expect(price.packages).toEqual([]);
    expect(price.layers).toMatchObject([
      { name: "common", compiled: 0, dropped: 0 },
      { name: "aws", compiled: 0, dropped: 1 },
      { name: "gcp", pushed: 0 },
    ]);
    expect(price.layers[0]?.pushed).toBeGreaterThan(0);
    expect(price.layers[1]?.pushed).toBeGreaterThan(0);
  });

  it("tells a layer's size by that of the one that was pushed", () => {
    const baked = bakedOf(presentWith());
    const held = Object.values(baked.layers.aws ?? {}).reduce((sum, bytes) => sum + bytes, 0);
    const present = { ...presentWith(), local: { ...presentWith().local, "m/aws/a": "other" } };
    const price = priceOf(present, { ...baked, sizes: { aws: held / 10 } });
    expect(price.pushed).toBeCloseTo(held / 10, -1);
  });

  it("is the packages that changed and those that import them, however deep", () => {
    const edits = repository.chain((repo) => fc.tuple(fc.constant(repo), fc.subarray([...repo.graph.packages.keys()])));
    fc.assert(
      fc.property(edits, ([repo, gone]) => {
        const graph = weighGraph(repo.graph, repo.programs);
        const present = { graph, contract: CONTRACT, local: {} };
        const baked = bakedOf(present);
        const layers = Object.fromEntries(
          Object.entries(baked.layers).map(([name, packages]) => [
            name,
            Object.fromEntries(Object.entries(packages).filter(([key]) => !gone.includes(key))),
          ]),
        );
        const needed = closureOf(repo.graph.packages, [...repo.graph.roots.values()]);
        const stale = [...needed].filter((key) => gone.some((one) => closureOf(repo.graph.packages, [key]).has(one)));
        const found = priceOf(present, { ...baked, layers }).packages.map(({ key }) => key);
        expect(found.sort()).toEqual(stale.sort());
      }),
    );
  });
});
