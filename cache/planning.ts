import { realpath } from "node:fs/promises";
import { availableParallelism } from "node:os";
import path from "node:path";
import { KilnError } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { contractFault, type BuildContract } from "./contract.ts";
import { readGraph, type Graph } from "./graph.ts";
import { isInside, isMap, isTextMap, isTexts } from "./document.ts";
import { withStore } from "./local-store.ts";
import { matchesGlob } from "./pattern.ts";
import { MODULE_VERSION } from "./closure.ts";
import { divideWeighed, shardsOf, type DivisionOptions } from "./plan/division.ts";
import { goModuleNeeds, type Division, type Plan } from "./plan.ts";
import { predictRunners } from "./plan/prediction.ts";
import { PROGRAM_DELIVERIES, type ProgramDelivery } from "./program-delivery.ts";
import { readPrograms, RESERVED, type Program } from "./programs.ts";
import { goWorkOf, isFile } from "./source-files.ts";
import { readTimings, type MeasuredTimings } from "./timings.ts";
import { mountsOf } from "./warm.ts";
import { weighGraph } from "./plan/weighed-graph.ts";

export interface PlanOptions {
  readonly source: string;
  readonly pattern: string;
  readonly providers?: readonly string[];
  readonly division: Division;
  readonly contract: BuildContract;
  readonly goRoot: string;
  /** Where Go keeps modules that it has to fetch for reading the graph. */
  readonly store: string;
  /** What packages took before; those that the store noted by default. */
  readonly timings?: MeasuredTimings;
  readonly allowFailed?: readonly string[];
  readonly delivery?: ProgramDelivery;
  /** Cores of each runner; those of this machine by default. */
  readonly cores?: number;
  /** Bytes of memory of each runner; by default what it has does not limit the plan. */
  readonly memory?: number;
  readonly progress: Progress;
}

/** A plan and the build graph that it was made of. */
export interface PlannedGraph {
  readonly plan: Plan;
  readonly graph: Graph;
  readonly timings: MeasuredTimings;
}

/** Reads a repository's programs and build graph and divides them into shards. Programs that do not load become faults. */
export async function makePlan(options: PlanOptions): Promise<Plan> {
  return (await planGraph(options)).plan;
}

/** As `makePlan`, for what asks more of the graph. */
export async function planGraph(options: PlanOptions): Promise<PlannedGraph> {
  const { source, progress, contract, store } = options;
  const { programs, skipped } = await readPrograms(source, options.pattern, options.providers);
  await requireWholeWorkspaces(source, programs);
  progress.step(`reading the build graph of ${programs.length} programs`);
  const mounts = mountsOf({ contract }, options.goRoot, store);
  const graph = await withStore(store, progress, () => readGraph(mounts, source, programs, progress));
  const timings = options.timings ?? (await readTimings(store)) ?? {};
  const dividing = divisionOptions(options, timings);
  const weighed = weighGraph(graph, programs, timings);
  const plan: Plan = {
    version: 1,
    contract,
    pattern: options.pattern,
    programs: programs.filter(({ directory }) => !graph.skipped.includes(directory)),
    skipped: [...skipped, ...graph.skipped].sort(),
    goModules: goModuleNeeds(graph),
    faults: Object.fromEntries([...graph.faults].sort()),
    allowFailed: options.allowFailed ?? [],
    ...(options.delivery === undefined ? {} : { delivery: options.delivery }),
    shards: shardsOf(graph, weighed, divideWeighed(weighed, options.division, dividing), dividing.cores),
    predicted: predictRunners(weighed, dividing),
  };
  return { plan, graph, timings };
}

/** One binary of each provider's programs is made in one shard, so they must be together. */
function divisionOptions({ cores, memory, delivery }: PlanOptions, timings: MeasuredTimings): DivisionOptions {
  return {
    timings,
    cores: cores ?? availableParallelism(),
    ...(memory === undefined ? {} : { memory }),
    together: delivery !== undefined && delivery !== "cache",
  };
}

/**
 * Throws where a go.work above the source governs a program: Go would read it here, and the image, which has the source
 * alone, would build something else.
 */
async function requireWholeWorkspaces(source: string, programs: readonly Program[]): Promise<void> {
  for (const goModule of new Set(programs.map((program) => program.goModule))) {
    if ((await goWorkOf(source, goModule)) !== undefined) continue;
    for (let folder = path.dirname(await realpath(source)); ; folder = path.dirname(folder)) {
      if (await isFile(path.join(folder, "go.work"))) {
        throw new KilnError(
          "usage",
          `${path.join(folder, "go.work")} governs ${path.posix.join(goModule, "go.mod")} and lies above the source`,
          {
            mend: `Take its directory for --source, and put the way from there in front of the module pattern.`,
          },
        );
      }
      if (folder === path.dirname(folder)) break;
    }
  }
}

/** What is wrong with a plan that was read from a file, or undefined. Plans come from other machines. */
export function planFault(document: Partial<Plan>): string | undefined {
  const { contract, pattern, programs, skipped, goModules, faults, allowFailed, delivery, shards } = document;
  const wrong = contractFault(contract);
  if (wrong !== undefined) return wrong;
  if (typeof pattern !== "string" || !isTextMap(faults)) return "it has no pattern or faults";
  if (!Array.isArray(programs) || !Array.isArray(shards) || !isTexts(skipped) || !isTexts(allowFailed)) {
    return "it has no programs, skipped, allowFailed or shards";
  }
  if (delivery !== undefined && !PROGRAM_DELIVERIES.includes(delivery)) {
    return `its delivery is ${JSON.stringify(delivery)}`;
  }
  return goModulesFault(goModules) ?? programsFault(programs) ?? shardsFault(shards);
}

function goModulesFault(goModules: unknown): string | undefined {
  if (!isMap(goModules)) return "it has no goModules";
  const lists = Object.values(goModules).flatMap((needs) =>
    isMap(needs) ? [needs.required, needs.spare] : [undefined],
  );
  if (!lists.every(isTexts)) return "it has no goModules";
  const stray = lists.flat().find((name) => !MODULE_VERSION.test(name) || name.startsWith("-"));
  return stray === undefined ? undefined : `"${stray}" is no version of a Go module`;
}

function programsFault(programs: readonly unknown[]): string | undefined {
  const outside = programs.find(
    (program) => !isMap(program) || !isInside(program.directory) || !isInside(program.goModule),
  );
  if (outside !== undefined) return `its program ${JSON.stringify(outside)} is not below the source`;
  const names = programs.flatMap((program) => (isMap(program) ? [program.provider] : []));
  const unfit = names.find((name) => typeof name !== "string" || name.includes("/") || RESERVED.includes(name));
  return unfit === undefined ? undefined : `${JSON.stringify(unfit)} cannot be a provider's name`;
}

function shardsFault(shards: readonly unknown[]): string | undefined {
  for (const shard of shards) {
    const sound = isMap(shard) && typeof shard.id === "string" && isTexts(shard.programs) && isMap(shard.packages);
    if (!sound) return `its shard ${JSON.stringify(shard).slice(0, 80)} is not one`;
    if (!isInside(shard.id) || shard.id.includes("/")) return `"${String(shard.id)}" cannot be a shard's name`;
    const option = Object.keys(shard.packages as object).find((name) => name.startsWith("-"));
    if (option !== undefined) return `"${option}" is no import path`;
  }
  return undefined;
}

/** The programs of `failures` (directory -> reason) that no `--allow-failed` glob admits. */
export function unexpectedFailures(
  failures: Readonly<Record<string, string>>,
  allowFailed: readonly string[],
): readonly (readonly [string, string])[] {
  return Object.entries(failures).filter(([directory]) => !allowFailed.some((glob) => matchesGlob(glob, directory)));
}

/** Throws, naming each program with its first error, unless every failure was allowed for. */
export function requireNoFailures(failures: Readonly<Record<string, string>>, allowFailed: readonly string[]): void {
  const unexpected = unexpectedFailures(failures, allowFailed);
  if (unexpected.length === 0) return;
  throw new KilnError("failed", describeFailures(unexpected), { mend: FAILURES_MEND });
}

/** A heading, and a line for each program with its first error. */
export function describeFailures(failures: readonly (readonly [string, string])[]): string {
  const lines = failures.map(([directory, reason]) => `  ${directory}: ${reason}`);
  return `${failures.length} ${failures.length === 1 ? "program does" : "programs do"} not compile:\n${lines.join("\n")}`;
}

export const FAILURES_MEND =
  "Mend them, or name those known to fail with --allow-failed GLOB. The other programs are warm.";
