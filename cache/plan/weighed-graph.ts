import { compileCost } from "./compile-cost.ts";
import type { Graph } from "../graph.ts";
import type { Program } from "../programs.ts";
import type { MeasuredTimings } from "../timings.ts";

/** A program and what its build compiles, by indices of a weighed graph. */
export interface WeighedProgram {
  readonly directory: string;
  readonly provider: string;
  readonly root: number;
  /** All that a build of it compiles, itself included. */
  readonly needs: Int32Array;
  /** Seconds of linking it while every other core links another program. */
  readonly link: number;
}

/** A build graph by numbers, each package after all that it imports: what planning looks at thousands of times. */
export interface WeighedGraph {
  readonly keys: readonly string[];
  /** CPU seconds of each compilation. */
  readonly seconds: Float64Array;
  /** Bytes of each archive. */
  readonly bytes: Float64Array;
  readonly measured: Uint8Array;
  /** In the order in which Go lists them. */
  readonly imports: readonly Int32Array[];
  /** CPU seconds of the longest chain of imports that ends with each package, itself included. */
  readonly chain: Float64Array;
  /** Programs that load, by directory. */
  readonly programs: readonly WeighedProgram[];
}

/** Seconds of linking a program where none were measured: 27 programs took 1.6 CPU seconds each. */
const LINK_SECONDS = 1.6;

/** Weighs a graph by measured times, or estimates. It does not depend on the order in which anything was read. */
export function weighGraph(graph: Graph, programs: readonly Program[], timings: MeasuredTimings = {}): WeighedGraph {
  const { keys, imports } = dependenciesFirst(graph);
  const costs = keys.map((key) => {
    const pkg = graph.packages.get(key);
    return pkg === undefined ? { seconds: 0, bytes: 0, measured: false } : compileCost(pkg, timings);
  });
  const seconds = Float64Array.from(costs, (cost) => cost.seconds);
  const chain = new Float64Array(keys.length);
  imports.forEach((below, index) => {
    chain[index] = (seconds[index] ?? 0) + below.reduce((longest, one) => Math.max(longest, chain[one] ?? 0), 0);
  });
  const indices = new Map(keys.map((key, index) => [key, index]));
  const seen = new Uint32Array(keys.length);
  let turn = 0;
  const needsOf = (root: number): Int32Array => {
    turn += 1;
    const found: number[] = [];
    const waiting = [root];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (seen[next] === turn) continue;
      seen[next] = turn;
      found.push(next);
      waiting.push(...(imports[next] ?? []));
    }
    return Int32Array.from(found).sort();
  };
  const sound = programs.filter(({ directory }) => graph.roots.has(directory));
  return {
    keys,
    seconds,
    bytes: Float64Array.from(costs, (cost) => cost.bytes),
    measured: Uint8Array.from(costs, (cost) => Number(cost.measured)),
    imports,
    chain,
    programs: sound
      .map(({ directory, provider }) => {
        const root = indices.get(graph.roots.get(directory) ?? "") ?? -1;
        const link = timings.links?.[directory] ?? LINK_SECONDS;
        return { directory, provider, root, needs: needsOf(root), link };
      })
      .sort((a, b) => (a.directory < b.directory ? -1 : 1)),
  };
}

/** Keys in an order in which each comes after its imports, the same whatever order the graph was read in. */
function dependenciesFirst({ packages }: Graph): { keys: readonly string[]; imports: readonly Int32Array[] } {
  const places = new Map<string, number>();
  const keys: string[] = [];
  const waiting = [...packages.keys()].sort().reverse();
  const entered = new Set<string>();
  for (let next = waiting.at(-1); next !== undefined; next = waiting.at(-1)) {
    if (!entered.has(next)) {
      entered.add(next);
      const below = packages.get(next)?.imports ?? [];
      waiting.push(...below.filter((key) => packages.has(key) && !entered.has(key)).reverse());
      continue;
    }
    waiting.pop();
    if (places.has(next)) continue;
    places.set(next, keys.length);
    keys.push(next);
  }
  const imports = keys.map((key, index) => {
    const below = (packages.get(key)?.imports ?? []).map((name) => places.get(name) ?? -1);
    return Int32Array.from(below.filter((one) => one >= 0 && one < index));
  });
  return { keys, imports };
}

/** Indices of all packages that any of these programs need, as a mask over the graph. */
export function needsMask(graph: WeighedGraph, programs: Iterable<WeighedProgram>): Uint8Array {
  const mask = new Uint8Array(graph.keys.length);
  for (const { needs } of programs) for (const index of needs) mask[index] = 1;
  return mask;
}

/** CPU seconds of what a mask holds. */
export function secondsOf(graph: WeighedGraph, mask: Uint8Array): number {
  return mask.reduce((sum, held, index) => (held === 1 ? sum + (graph.seconds[index] ?? 0) : sum), 0);
}

/** What of a mask another one lacks. */
export function without(mask: Uint8Array, other: Uint8Array): Uint8Array {
  return mask.map((held, index) => (other[index] === 1 ? 0 : held));
}
