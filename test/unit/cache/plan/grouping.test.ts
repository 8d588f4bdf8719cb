import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { syntheticGraph } from "../../../../bench/synthetic/graph.ts";
import { parallelism } from "../../../../cache/makespan.ts";
import { groupPrograms } from "../../../../cache/plan/grouping.ts";
import { predictRunners } from "../../../../cache/plan/prediction.ts";
import {
  needsMask,
  secondsOf,
  weighGraph,
  type WeighedGraph,
  type WeighedProgram,
} from "../../../../cache/plan/weighed-graph.ts";
import { packageOf, programOf, repository, REST } from "./repository.ts";

const CORES = 2;

/** How late a group is at least: what grouping makes small. */
function lateOf(graph: WeighedGraph, programs: readonly WeighedProgram[]): number {
  const cpu = secondsOf(graph, needsMask(graph, programs));
  const chain = Math.max(0, ...programs.map(({ root }) => graph.chain[root] ?? 0));
  const links = programs.reduce((sum, { link }) => sum + link, 0);
  return Math.max(cpu / CORES, chain / parallelism(CORES)) + links / CORES;
}

describe("groupPrograms", () => {
  it("is within Graham's bound of the least that is possible, what programs share counted once more in every group", () => {
    fc.assert(
      fc.property(repository, fc.integer({ min: 2, max: 6 }), (repo, count) => {
        const graph = weighGraph(repo.graph, repo.programs);
        fc.pre(graph.programs.length >= count);
        const users = graph.keys.map((_, index) => graph.programs.filter(({ needs }) => needs.includes(index)).length);
        const weigh = (pick: (users: number) => boolean, within?: WeighedProgram) =>
          graph.keys.reduce((sum, _, index) => {
            const counts = pick(users[index] ?? 0) && (within?.needs.includes(index) ?? true);
            return counts ? sum + (graph.seconds[index] ?? 0) : sum;
          }, 0);
        const shared = weigh((number) => number > 1);
        const own = weigh((number) => number === 1) + graph.programs.reduce((sum, { link }) => sum + link, 0);
        const largest = Math.max(...graph.programs.map((one) => weigh((number) => number === 1, one) + one.link));
        const chain = Math.max(...graph.programs.map(({ root }) => graph.chain[root] ?? 0)) / parallelism(CORES);
        const latest = Math.max(...groupPrograms(graph, { count, cores: CORES }).map((group) => lateOf(graph, group)));
        expect(latest).toBeLessThanOrEqual(1.1 * (chain + (shared + own / count + largest) / CORES));
      }),
    );
  });

  it("is within twice the least that is possible where programs share nothing", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 2, maxLength: 30 });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 2, max: 8 }), (seconds, count) => {
        const names = seconds.map((_, index) => `m${index}`);
        const packages = new Map(names.map((name) => [name, packageOf(name, [], 0)]));
        const programs = names.map((name) => programOf(name, "any"));
        const roots = new Map(names.map((name) => [name, name]));
        const timings = {
          seconds: Object.fromEntries(names.map((name, index) => [name, seconds[index] ?? 0])),
          links: Object.fromEntries(names.map((name) => [name, 0])),
        };
        const graph = weighGraph({ ...REST, packages, roots }, programs, timings);
        const groups = groupPrograms(graph, { count, cores: 1 });
        const loads = groups.map((group) => secondsOf(graph, needsMask(graph, group)));
        const total = seconds.reduce((sum, one) => sum + one, 0);
        expect(Math.max(...loads)).toBeLessThan(2 * Math.max(total / count, ...seconds));
      }),
    );
  });

  it("compiles a giant twice where programs that share it would be the latest together, and makes room for that", () => {
    const kits: Readonly<Record<string, readonly string[]>> = {
      ...{ k1: ["core", "k1"], k2: ["core", "k2"], k3: ["core", "k3"] },
      ...{ big1: ["big1"], big2: ["big2"], small1: ["small1"], small2: ["small2"], small3: ["small3"] },
    };
    const seconds = { core: 37, k1: 10, k2: 9, k3: 9, big1: 50, big2: 48, small1: 25, small2: 20, small3: 15 };
    const names = Object.keys(kits);
    const packages = new Map([
      ...Object.keys(seconds).map((name) => [name, packageOf(name, name.startsWith("k") ? ["core"] : [])] as const),
      ...names.map((name) => [`main/${name}`, packageOf(`main/${name}`, kits[name] ?? [])] as const),
    ]);
    const roots = new Map(names.map((name) => [name, `main/${name}`]));
    const programs = names.map((name) => programOf(name, "any"));
    const graph = weighGraph({ ...REST, packages, roots }, programs, { seconds });
    const groups = groupPrograms(graph, { count: 5, cores: CORES });
    expect(Math.max(...groups.map((group) => lateOf(graph, group)))).toBeLessThan(42);
    expect(groups.filter((group) => group.some(({ directory }) => directory.startsWith("k")))).toHaveLength(2);
  });

  it("plans 300 programs within seconds", () => {
    const { graph, programs } = syntheticGraph({ packages: 600, programs: 300 });
    const weighed = weighGraph(graph, programs);
    const start = performance.now();
    const predicted = predictRunners(weighed, { cores: CORES });
    expect((performance.now() - start) / 1000).toBeLessThan(10);
    const walls = predicted.runners.map(({ base, shards }) => base + shards);
    expect(walls).toEqual([...walls].sort((a, b) => b - a));
    for (const { shards, least } of predicted.runners) expect(shards).toBeGreaterThanOrEqual(least.shards - 0.1);
  });
});
