import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chainSeconds, compileSchedule, leastWall, parallelism } from "../../../cache/makespan.ts";
import { needsMask, secondsOf, weighGraph, type WeighedGraph } from "../../../cache/plan/weighed-graph.ts";
import { packageOf, programOf, repository, REST } from "./plan/repository.ts";

/** A graph of packages with these seconds and imports, of which the last is the one program. */
function graphOf(packages: Readonly<Record<string, readonly [number, ...string[]]>>): WeighedGraph {
  const names = Object.keys(packages);
  const root = names.at(-1) ?? "";
  const seconds = Object.fromEntries(Object.entries(packages).map(([name, [time]]) => [name, time]));
  const entries = Object.entries(packages).map(([name, [, ...imports]]) => [name, packageOf(name, imports)] as const);
  const graph = { ...REST, packages: new Map(entries), roots: new Map([[root, root]]) };
  return weighGraph(graph, [programOf(root, "any")], { seconds });
}

function wallOf(graph: WeighedGraph, cores: number): number {
  const mask = needsMask(graph, graph.programs);
  return compileSchedule(
    graph,
    mask,
    graph.programs.map(({ root }) => root),
    cores,
  ).wall;
}

describe("parallelism", () => {
  it("is one core on one, and never more than the compiler's serial half allows", () => {
    expect(parallelism(1)).toBe(1);
    expect(parallelism(2)).toBeCloseTo(4 / 3);
    expect(parallelism(4)).toBeCloseTo(1.6);
    expect(parallelism(64)).toBe(parallelism(4));
  });
});

describe("compileSchedule", () => {
  it.each<[string, Parameters<typeof graphOf>[0], number, number]>([
    ["one after the other on one core", { a: [3], b: [4, "a"], c: [5, "b"] }, 1, 12],
    ["a chain no faster than one compilation can be", { a: [4], b: [4, "a"] }, 2, 8 / (4 / 3)],
    ["two beside each other on two cores", { a: [4], b: [4], c: [0, "a", "b"] }, 2, 4],
    // Both run on a core each until the small one ends; then the large one has four thirds.
    ["what is left alone gets more", { a: [4], b: [8], c: [0, "a", "b"] }, 2, 4 + 4 / (4 / 3)],
    // Go takes what comes first in its walk, however long the last one is.
    ["in the order of the walk", { a: [2], b: [2], c: [4], d: [0, "a", "b", "c"] }, 2, 2 + 4 / (4 / 3)],
  ])("%s", (_, packages, cores, wall) => {
    expect(wallOf(graphOf(packages), cores)).toBeCloseTo(wall);
  });

  it("begins with the roots that it is told first", () => {
    const graph = graphOf({ small1: [2], small2: [2], giant: [8], all: [0, "small1", "small2", "giant"] });
    const mask = needsMask(graph, graph.programs);
    const from = (...names: readonly string[]) =>
      compileSchedule(
        graph,
        mask,
        names.map((name) => graph.keys.indexOf(name)),
        2,
      ).wall;
    expect(from("giant")).toBeLessThan(from("small1", "small2", "giant"));
  });

  it("takes what is outside the mask as there already", () => {
    const graph = graphOf({ a: [3], b: [4, "a"] });
    const mask = Uint8Array.from(graph.keys, (key) => Number(key === "b"));
    expect(compileSchedule(graph, mask, [], 1)).toEqual({ wall: 4, cpu: 4 });
  });

  it("does all the work, between the least that is possible and one core alone", () => {
    fc.assert(
      fc.property(repository, fc.integer({ min: 1, max: 8 }), (repo, cores) => {
        const graph = weighGraph(repo.graph, repo.programs);
        const mask = needsMask(graph, graph.programs);
        const { wall, cpu } = compileSchedule(
          graph,
          mask,
          graph.programs.map(({ root }) => root),
          cores,
        );
        const total = secondsOf(graph, mask);
        expect(cpu).toBeCloseTo(total, 5);
        expect(wall).toBeLessThanOrEqual(total + 1e-6);
        expect(wall).toBeGreaterThanOrEqual(leastWall(graph, mask, cores) - 1e-6);
        // Graham's bound for list scheduling, on cores that a compilation alone cannot fill.
        const chain = chainSeconds(graph, mask);
        expect(wall).toBeLessThanOrEqual(total / cores + chain / Math.min(1, parallelism(cores)) + 1e-6);
      }),
    );
  });
});

describe("leastWall", () => {
  it("is the longest chain, or the sum of all over all cores of all runners", () => {
    const graph = graphOf({ a: [8], b: [4], c: [4], d: [0, "a", "b", "c"] });
    const mask = needsMask(graph, graph.programs);
    expect(leastWall(graph, mask, 1)).toBe(16);
    expect(leastWall(graph, mask, 1, 4)).toBe(8);
    expect(leastWall(graph, mask, 2)).toBe(8);
    expect(leastWall(graph, mask, 2, 2)).toBe(6);
  });
});
