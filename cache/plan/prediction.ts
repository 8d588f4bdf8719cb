import { compileMemory } from "./compile-cost.ts";
import { divideWeighed, type DivisionOptions } from "./division.ts";
import type { PlanPrediction, RunnersPrediction } from "../plan.ts";
import { basePrediction, leastSeconds, shardPrediction } from "./shard-time.ts";
import { needsMask, secondsOf, without, type WeighedGraph } from "./weighed-graph.ts";

/** The numbers of runners that a plan tells of. */
export const RUNNERS: readonly number[] = [1, 2, 4, 8, 16];

/** What numbers of runners are expected to take for all programs, each dividing them evenly. */
export function predictRunners(
  graph: WeighedGraph,
  options: DivisionOptions,
  counts: readonly number[] = RUNNERS,
): PlanPrediction {
  const all = needsMask(graph, graph.programs);
  const measured = all.map((needed, index) => (graph.measured[index] === 1 ? needed : 0));
  const { memory } = options;
  return {
    cores: options.cores,
    measured: Math.round((secondsOf(graph, measured) / (secondsOf(graph, all) || 1)) * 100) / 100,
    runners: predictEach(graph, all, options, counts),
    ...(memory === undefined ? {} : { memory: { bytes: memory, packages: tooLarge(graph, all, memory) } }),
  };
}

/** More runners than help are not used: where more shards are no sooner, the plan of fewer runners stands. */
function predictEach(graph: WeighedGraph, all: Uint8Array, options: DivisionOptions, counts: readonly number[]) {
  const found: RunnersPrediction[] = [];
  for (const runners of counts) {
    const one = predictOne(graph, all, options, runners);
    const before = found.at(-1);
    const sooner = before === undefined || one.base + one.shards < before.base + before.shards - 0.05;
    found.push(sooner ? one : { ...before, runners, least: one.least });
  }
  return found;
}

function predictOne(
  graph: WeighedGraph,
  all: Uint8Array,
  options: DivisionOptions,
  runners: number,
): RunnersPrediction {
  const { cores } = options;
  const { base, groups } = divideWeighed(graph, { count: runners }, options);
  const shards = groups.map(({ programs, needs }) => shardPrediction(graph, programs, needs, base, cores));
  const first = base.includes(1) ? basePrediction(graph, base, cores) : { wall: 0, cpu: 0 };
  const left = without(all, base);
  return {
    runners,
    base: first.wall,
    shards: Math.max(0, ...shards.map(({ wall }) => wall)),
    alone: Math.max(0, ...shards.map(({ alone }) => alone)),
    least: {
      shards: leastSeconds(graph, left, cores, runners),
      alone: leastSeconds(graph, all, cores, runners),
    },
    cpu: Math.round(shards.reduce((sum, { cpu }) => sum + cpu, first.cpu)),
  };
}

/** Packages whose compilation needs more memory than a runner has, by key, with the bytes that it needs. */
function tooLarge(graph: WeighedGraph, all: Uint8Array, memory: number): Readonly<Record<string, number>> {
  const large = graph.keys.flatMap((key, index) => {
    const bytes = compileMemory(graph.bytes[index] ?? 0);
    return all[index] === 1 && bytes > memory ? [[key, Math.round(bytes)] as const] : [];
  });
  return Object.fromEntries(large.sort(([, a], [, b]) => b - a));
}
