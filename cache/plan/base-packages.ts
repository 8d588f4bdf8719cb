import { compileSchedule, leastWall } from "../makespan.ts";
import { without, type WeighedGraph } from "./weighed-graph.ts";

/** What a shard compiles: all that its programs need, and where Go begins. */
export interface ShardNeeds {
  readonly needs: Uint8Array;
  readonly roots: readonly number[];
}

/** Waiting that sharing may add to the slowest shard, as a part of its time: a little time is worth much less compiling. */
const PATIENCE = 0.02;
/** Shards that are simulated to compare bases: those that compile most decide. */
const SIMULATED = 8;

/**
 * The packages to compile once, before all shards, as a mask. A package is worth it where at least two shards need it, and
 * every shard that does not need it can wait for it and still be no later than the slowest one, which would be no sooner
 * without a base. Where a simulation says that waiting costs more than that all the same, since a giant leaves cores idle,
 * the base has only what every shard needs. Whatever a package of the base imports is in the base.
 */
export function basePackages(graph: WeighedGraph, shards: readonly ShardNeeds[], cores: number): Uint8Array {
  const shared = sharedPackages(graph, shards, cores);
  const common = graph.keys.map((_, index) =>
    Number(shards.length > 1 && shards.every(({ needs }) => needs[index] === 1)),
  );
  const all = Uint8Array.from(common);
  return lateness(graph, shared, shards, cores) <= lateness(graph, all, shards, cores) * (1 + PATIENCE) ? shared : all;
}

/** Packages that shards can wait for, those that the most shards need first. */
function sharedPackages(graph: WeighedGraph, shards: readonly ShardNeeds[], cores: number): Uint8Array {
  const base = new Uint8Array(graph.keys.length);
  const alone = shards.map(({ needs }) => leastWall(graph, needs, cores));
  const slack = alone.map((wall) => Math.max(0, ...alone) * (1 + PATIENCE) - wall);
  const users = graph.keys.map((_, index) => shards.reduce((sum, { needs }) => sum + (needs[index] ?? 0), 0));
  const shared = users.flatMap((count, index) => (count > 1 ? [index] : []));
  // Among equally shared ones, imports come first, as they stand in the graph.
  for (const index of shared.sort((a, b) => (users[b] ?? 0) - (users[a] ?? 0) || a - b)) {
    if ((graph.imports[index] ?? []).some((below) => base[below] !== 1)) continue;
    const wait = (graph.seconds[index] ?? 0) / cores;
    if (shards.some(({ needs }, shard) => needs[index] !== 1 && (slack[shard] ?? 0) < wait)) continue;
    base[index] = 1;
    shards.forEach(({ needs }, shard) => {
      if (needs[index] !== 1) slack[shard] = (slack[shard] ?? 0) - wait;
    });
  }
  return base;
}

/** Seconds until the slowest shard has compiled its packages after the base's. */
function lateness(graph: WeighedGraph, base: Uint8Array, shards: readonly ShardNeeds[], cores: number): number {
  const own = shards
    .map(({ needs, roots }) => ({ mask: without(needs, base), roots }))
    .map((shard) => ({ ...shard, least: leastWall(graph, shard.mask, cores) }))
    .sort((a, b) => b.least - a.least);
  const walls = own.slice(0, SIMULATED).map(({ mask, roots }) => compileSchedule(graph, mask, roots, cores).wall);
  return compileSchedule(graph, base, [], cores).wall + Math.max(0, ...walls);
}
