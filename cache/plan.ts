import { KilnError } from "../errors.ts";
import { closureOf, type Graph, type Package } from "./graph.ts";
import type { BuildContract } from "./contract.ts";
import { laneOf, laneScaleSet, type Lanes } from "./lanes.ts";
import type { Program } from "./programs.ts";

/** The shard that compiles what other shards share; it is always warmed first. */
export const BASE_SHARD = "base";

export interface Shard {
  readonly id: string;
  /** Directories of its programs; empty for the base. */
  readonly programs: readonly string[];
  /** Import paths that this shard is the first to compile, with the estimated seconds of each on one core. */
  readonly packages: Readonly<Record<string, number>>;
  /** The sum of them. */
  readonly cost: number;
}

/** What Pulumi asks Go about before it runs a program of a Go module, so that the answers need no network. */
export interface GoModuleNeeds {
  /** Modules that the go.mod requires, `path@version`. Sorted. */
  readonly required: readonly string[];
  /** Those of them that no program of the plan compiles. Sorted. */
  readonly spare: readonly string[];
}

/** What is to be warmed, for whom, and in which shards: the file that travels between runners. */
export interface Plan {
  readonly version: 1;
  readonly contract: BuildContract;
  readonly pattern: string;
  readonly programs: readonly Program[];
  /** Directories that looked like programs and are none by what a build takes in. */
  readonly skipped: readonly string[];
  /** By the directory of each go.mod. */
  readonly goModules: Readonly<Record<string, GoModuleNeeds>>;
  /** Programs that do not load or compile, and why. Those that `allowFailed` admits do not fail a command. */
  readonly faults: Readonly<Record<string, string>>;
  readonly allowFailed: readonly string[];
  readonly shards: readonly Shard[];
}

/** How programs are divided: a shard a provider, or a number of shards of about equal cost. */
export type Division = { readonly by: "provider" } | { readonly count: number };

/** Measured seconds by import path, from an earlier run. */
export type Timings = Readonly<Record<string, number>>;

/** What two cores were seen to compile per second; only ratios between packages matter to a plan. */
const SOURCE_BYTES_A_SECOND = 400_000;

/** The modules that each go.mod requires, and which of them no program that loads is compiled from. */
export function goModuleNeeds(graph: Graph): Readonly<Record<string, GoModuleNeeds>> {
  const needed = closureOf(graph.packages, [...graph.roots.values()]);
  const compiled = new Set([...needed].map((key) => graph.packages.get(key)?.goModule));
  return Object.fromEntries(
    [...graph.required].sort().map(([goModule, required]) => {
      return [goModule, { required, spare: required.filter((module) => !compiled.has(module)) }];
    }),
  );
}

/** GitHub's limit of jobs in a matrix. */
const MATRIX_ENTRIES = 256;

/**
 * A GitHub Actions matrix of a plan's shards, the base left out: all on runners of one label, or each on the lane that has its
 * cache. Throws a usage error where GitHub would refuse its length.
 */
export function matrixOf(plan: Pick<Plan, "shards">, runsOn: string | Lanes) {
  const shards = plan.shards.filter(({ id }) => id !== BASE_SHARD);
  if (shards.length > MATRIX_ENTRIES) {
    throw new KilnError("usage", `the plan has ${shards.length} shards; a GitHub matrix takes ${MATRIX_ENTRIES}`, {
      mend: `Plan with --shards ${MATRIX_ENTRIES} or fewer: each then takes several providers.`,
    });
  }
  const runnerOf = (id: string) =>
    typeof runsOn === "string" ? runsOn : laneScaleSet(runsOn.prefix, laneOf(id, runsOn.count));
  return { include: shards.map(({ id }) => ({ shard: id, runs_on: runnerOf(id) })) };
}

/** Estimated seconds to compile a package on one core: measured where a timing is known, else by its source. */
export function packageCost(pkg: Package, timings: Timings = {}): number {
  return timings[pkg.importPath] ?? 0.02 + pkg.sourceBytes / SOURCE_BYTES_A_SECOND;
}

/**
 * Divides programs into shards. Packages that more than one shard needs form the base shard, compiled once and first; a
 * balanced division gives each program, dearest first, to the shard that it makes least late. Deterministic.
 */
export function divide(
  graph: Graph,
  programs: readonly Program[],
  division: Division,
  timings: Timings = {},
): readonly Shard[] {
  const sound = programs.filter((program) => graph.roots.has(program.directory));
  const needs = new Map(
    sound.map((program) => [program.directory, closureOf(graph.packages, [graph.roots.get(program.directory) ?? ""])]),
  );
  const groups = "by" in division ? byProvider(sound) : balanced(sound, needs, graph, division.count, timings);

  const users = new Map<string, number>();
  const groupNeeds = [...groups].map(([id, members]) => {
    const needed = new Set(members.flatMap((program) => [...(needs.get(program.directory) ?? [])]));
    for (const name of needed) users.set(name, (users.get(name) ?? 0) + 1);
    return { id, members, needed };
  });
  const shared = [...users].filter(([, count]) => count > 1).map(([name]) => name);

  const shard = (id: string, members: readonly Program[], keys: readonly string[]): Shard => {
    const costs = new Map<string, number>();
    for (const key of [...keys].sort()) {
      const name = graph.packages.get(key)?.importPath ?? key;
      costs.set(name, (costs.get(name) ?? 0) + costOf(graph, key, timings));
    }
    const packages = Object.fromEntries([...costs].map(([name, seconds]) => [name, round(seconds)]));
    return {
      id,
      programs: members.map((program) => program.directory).sort(),
      packages,
      cost: round(sum(Object.values(packages))),
    };
  };
  return [
    ...(shared.length > 0 ? [shard(BASE_SHARD, [], shared)] : []),
    ...groupNeeds.map(({ id, members, needed }) =>
      shard(
        id,
        members,
        [...needed].filter((name) => users.get(name) === 1),
      ),
    ),
  ];
}

function byProvider(programs: readonly Program[]): ReadonlyMap<string, readonly Program[]> {
  const groups = Map.groupBy(programs, (program) => program.provider);
  return new Map([...groups].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Longest processing time first, where a program costs only what its shard does not compile already. */
function balanced(
  programs: readonly Program[],
  needs: ReadonlyMap<string, ReadonlySet<string>>,
  graph: Graph,
  count: number,
  timings: Timings,
): ReadonlyMap<string, readonly Program[]> {
  const spread = new Map<string, number>();
  for (const needed of needs.values()) for (const name of needed) spread.set(name, (spread.get(name) ?? 0) + 1);
  const own = (program: Program): readonly string[] =>
    [...(needs.get(program.directory) ?? [])].filter((name) => (spread.get(name) ?? 0) < programs.length);
  const cost = (names: readonly string[]) => sum(names.map((name) => costOf(graph, name, timings)));

  const shards = Array.from({ length: Math.min(count, programs.length) }, (_, index) => ({
    id: `shard-${index + 1}`,
    members: [] as Program[],
    compiled: new Set<string>(),
    load: 0,
  }));
  const queue = programs
    .map((program) => ({ program, names: own(program) }))
    .map((item) => ({ ...item, cost: cost(item.names) }))
    .sort((a, b) => b.cost - a.cost || (a.program.directory < b.program.directory ? -1 : 1));
  for (const { program, names } of queue) {
    const [best] = shards
      .map((shard) => ({ shard, late: shard.load + cost(names.filter((name) => !shard.compiled.has(name))) }))
      .sort((a, b) => a.late - b.late);
    if (!best) break;
    best.shard.members.push(program);
    best.shard.load = best.late;
    for (const name of names) best.shard.compiled.add(name);
  }
  return new Map(shards.map(({ id, members }) => [id, members]));
}

function costOf(graph: Graph, name: string, timings: Timings): number {
  const pkg = graph.packages.get(name);
  return pkg ? packageCost(pkg, timings) : 0;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function round(seconds: number): number {
  return Math.round(seconds * 100) / 100;
}
