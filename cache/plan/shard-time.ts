import { chainsIn, compileSchedule, parallelism } from "../makespan.ts";
import type { ShardPrediction } from "../plan.ts";
import { secondsOf, without, type WeighedGraph, type WeighedProgram } from "./weighed-graph.ts";

/**
 * Seconds that a run of `cache warm` takes besides compiling and linking: starting, `go list` without and with compiling,
 * writing the cache directory out. Seen: 3.4 CPU seconds where a store had all packages of two programs, 7 with those of 27.
 */
const RUN = { once: 3.5, aProgram: 0.13 };
/** Go's own work for each package that it compiles: hashing it, and copying the archive into its cache. */
const GO_SHARE = 0.03;

/** Seconds that a shard's run takes on a runner of so many cores, `base` being what the base has compiled. */
export function shardPrediction(
  graph: WeighedGraph,
  programs: readonly WeighedProgram[],
  needs: Uint8Array,
  base: Uint8Array,
  cores: number,
): ShardPrediction {
  const roots = programs.map(({ root }) => root);
  const own = without(needs, base);
  const around = aroundCompiling(programs, cores);
  const after = compileSchedule(graph, own, roots, cores);
  const whole = compileSchedule(graph, needs, roots, cores).wall;
  return {
    // Less work takes a greedy schedule longer now and then (Graham 1969); the order of the whole does for a part of it too.
    wall: tenths(Math.min(after.wall, whole) * (1 + GO_SHARE) + around.wall),
    cpu: tenths(after.cpu * (1 + GO_SHARE) + around.cpu),
    alone: tenths(whole * (1 + GO_SHARE) + around.wall),
  };
}

/** Seconds that the base's run takes. */
export function basePrediction(graph: WeighedGraph, base: Uint8Array, cores: number): ShardPrediction {
  const { wall, cpu } = compileSchedule(graph, base, [], cores);
  const around = aroundCompiling([], cores);
  const seconds = tenths(wall * (1 + GO_SHARE) + around.wall);
  return { wall: seconds, cpu: tenths(cpu * (1 + GO_SHARE) + around.cpu), alone: seconds };
}

/** Linking, as many programs at a time as there are cores, and what a run does besides. */
function aroundCompiling(programs: readonly WeighedProgram[], cores: number) {
  const links = programs.map(({ link }) => link);
  const linking = links.reduce((sum, seconds) => sum + seconds, 0);
  const run = RUN.once + RUN.aProgram * programs.length;
  return { wall: run + Math.max(linking / cores, 0, ...links), cpu: run + linking };
}

/**
 * Seconds that so many runners need at least for the packages of a mask and all programs, however these are divided: for the
 * longest chain of imports with the link at its end, and for the sum of all work; and for a run itself.
 */
export function leastSeconds(graph: WeighedGraph, mask: Uint8Array, cores: number, runners: number): number {
  const chains = chainsIn(graph, mask);
  const chain = Math.max(0, ...graph.programs.map(({ root, link }) => (chains[root] ?? 0) / parallelism(cores) + link));
  const links = graph.programs.reduce((sum, { link }) => sum + link, 0);
  const work = secondsOf(graph, mask) * (1 + GO_SHARE) + links;
  return tenths(RUN.once + Math.max(chain, work / (cores * runners)));
}

function tenths(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}
