import { basePackages } from "./base-packages.ts";
import { compileMemory } from "./compile-cost.ts";
import type { Graph } from "../graph.ts";
import { groupPrograms } from "./grouping.ts";
import { BASE_SHARD, type Division, type Shard } from "../plan.ts";
import type { Program } from "../programs.ts";
import { basePrediction, shardPrediction } from "./shard-time.ts";
import type { MeasuredTimings } from "../timings.ts";
import { needsMask, weighGraph, without, type WeighedGraph, type WeighedProgram } from "./weighed-graph.ts";

export interface DivisionOptions {
  readonly timings?: MeasuredTimings;
  /** Of each runner. */
  readonly cores: number;
  /** Bytes of each runner, where that limits what may be compiled at once. */
  readonly memory?: number;
  /** Whether all programs of a provider must be in one shard. */
  readonly together?: boolean;
}

/** A division of programs by numbers: what makes shards and predictions. */
export interface DividedGraph {
  /** What is compiled first, once. */
  readonly base: Uint8Array;
  readonly groups: readonly DividedGroup[];
}

export interface DividedGroup {
  readonly id: string;
  /** The one that takes longest first. */
  readonly programs: readonly WeighedProgram[];
  /** All that its programs need, what the base has included. */
  readonly needs: Uint8Array;
}

/** Divides programs that load into shards, and the packages that these share into a base. Deterministic. */
export function divide(
  graph: Graph,
  programs: readonly Program[],
  division: Division,
  options: DivisionOptions,
): readonly Shard[] {
  const weighed = weighGraph(graph, programs, options.timings);
  return shardsOf(graph, weighed, divideWeighed(weighed, division, options), options.cores);
}

/** The groups of a division and what of their packages is the base. */
export function divideWeighed(graph: WeighedGraph, division: Division, options: DivisionOptions): DividedGraph {
  const giants = giantsOf(graph, options.memory);
  const parts: readonly (readonly [string, readonly WeighedProgram[]])[] =
    "by" in division
      ? [...Map.groupBy(graph.programs, ({ provider }) => provider)].sort(([a], [b]) => (a < b ? -1 : 1))
      : groupPrograms(graph, { ...options, giants, count: division.count }).map(
          (members, index) => [`shard-${index + 1}`, members] as const,
        );
  const groups = parts.map(([id, members]) => ({
    id,
    programs: longestFirst(graph, members),
    needs: needsMask(graph, members),
  }));
  const shards = groups.map(({ programs, needs }) => ({ needs, roots: programs.map(({ root }) => root) }));
  return { base: basePackages(graph, shards, options.cores), groups };
}

/** Packages of which a runner compiles only one at a time, since two need more memory than it has. */
function giantsOf(graph: WeighedGraph, memory = Infinity): ReadonlySet<number> {
  return new Set(
    graph.keys.flatMap((_, index) => (2 * compileMemory(graph.bytes[index] ?? 0) > memory ? [index] : [])),
  );
}

/** Go starts with what it is told first: the program whose imports take longest must not come last. */
function longestFirst(graph: WeighedGraph, programs: readonly WeighedProgram[]): readonly WeighedProgram[] {
  const chainOf = ({ root }: WeighedProgram) => graph.chain[root] ?? 0;
  return [...programs].sort((a, b) => chainOf(b) - chainOf(a) || (a.directory < b.directory ? -1 : 1));
}

/** The shards of a plan, the base first where there is one. */
export function shardsOf(
  graph: Graph,
  weighed: WeighedGraph,
  { base, groups }: DividedGraph,
  cores: number,
): readonly Shard[] {
  const shards = groups.map(({ id, programs, needs }): Shard => {
    return {
      id,
      programs: programs.map(({ directory }) => directory),
      ...packagesOf(graph, weighed, without(needs, base)),
      predicted: shardPrediction(weighed, programs, needs, base, cores),
    };
  });
  if (!base.includes(1)) return shards;
  const first: Shard = {
    id: BASE_SHARD,
    programs: [],
    ...packagesOf(graph, weighed, base),
    predicted: basePrediction(weighed, base, cores),
  };
  return [first, ...shards];
}

/** A mask's packages by import path, those at the end of the longest chains first, with their seconds. */
function packagesOf(graph: Graph, weighed: WeighedGraph, mask: Uint8Array): Pick<Shard, "packages" | "cost"> {
  const indices = weighed.keys.flatMap((_, index) => (mask[index] === 1 ? [index] : []));
  const packages: Record<string, number> = {};
  for (const index of indices.sort((a, b) => (weighed.chain[b] ?? 0) - (weighed.chain[a] ?? 0) || b - a)) {
    const name = graph.packages.get(weighed.keys[index] ?? "")?.importPath ?? weighed.keys[index] ?? "";
    packages[name] = hundredths((packages[name] ?? 0) + (weighed.seconds[index] ?? 0));
  }
  return { packages, cost: hundredths(Object.values(packages).reduce((sum, seconds) => sum + seconds, 0)) };
}

function hundredths(seconds: number): number {
  return Math.round(seconds * 100) / 100;
}
