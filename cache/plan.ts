import { KilnError } from "../errors.ts";
import { closureOf, type Graph } from "./graph.ts";
import type { BuildContract } from "./contract.ts";
import { laneOf, laneScaleSet, type Lanes } from "./lanes.ts";
import type { ProgramDelivery } from "./program-delivery.ts";
import type { Program } from "./programs.ts";

/** The shard that compiles what other shards share; it is always warmed first. */
export const BASE_SHARD = "base";

export interface Shard {
  readonly id: string;
  /** Directories of its programs, the one that takes longest first; empty for the base. */
  readonly programs: readonly string[];
  /**
   * Import paths that it compiles where the base is there already, with the CPU seconds of each, in the order in which Go is
   * to be told of them. Few of them may be in another shard too: those for which all would wait longer in the base.
   */
  readonly packages: Readonly<Record<string, number>>;
  /** The sum of them. */
  readonly cost: number;
  /** What a runner is expected to take for it; a plan that was written by hand may leave it out. */
  readonly predicted?: ShardPrediction;
}

/** What warming one shard is expected to take, with all that a run does besides compiling. */
export interface ShardPrediction {
  /** Seconds where the base is there already. */
  readonly wall: number;
  /** CPU seconds of that. */
  readonly cpu: number;
  /** Seconds from nothing, where the shard compiles what it needs of the base itself. */
  readonly alone: number;
}

/** What a number of runners is expected to take for all programs; times in seconds. */
export interface RunnersPrediction {
  readonly runners: number;
  /** One runner warms the base first. */
  readonly base: number;
  /** The slowest shard, once the base is there. */
  readonly shards: number;
  /** The slowest shard where there is no base, and each compiles all that it needs. */
  readonly alone: number;
  /** The least that any division could take, for the longest chain of imports and the sum of all work: after the base, and from nothing. */
  readonly least: { readonly shards: number; readonly alone: number };
  /** CPU seconds of the base and all shards. */
  readonly cpu: number;
}

/** What a plan expects of runners. */
export interface PlanPrediction {
  /** Of each runner. */
  readonly cores: number;
  /** Part of the CPU seconds that was measured before, from 0 to 1; the rest is estimated by source. */
  readonly measured: number;
  readonly runners: readonly RunnersPrediction[];
  /** Packages that need more memory than a runner has, by bytes; or than one of `memory` bytes shares with another. */
  readonly memory?: { readonly bytes: number; readonly packages: Readonly<Record<string, number>> };
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
  /** How images get the programs; absent for `cache`. */
  readonly delivery?: ProgramDelivery;
  readonly shards: readonly Shard[];
  readonly predicted?: PlanPrediction;
}

/** How programs are divided: a shard a provider, or a number of shards of about equal cost. */
export type Division = { readonly by: "provider" } | { readonly count: number };

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
