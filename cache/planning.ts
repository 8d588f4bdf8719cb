import { realpath } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { contractFault, type BuildContract } from "./contract.ts";
import { readGraph } from "./graph.ts";
import type { GoMounts } from "./go/command.ts";
import { requireLocalStore } from "./local-store.ts";
import { matchesGlob } from "./pattern.ts";
import { MODULE_VERSION } from "./manifest.ts";
import { divide, goModuleNeeds, type Division, type Plan, type Timings } from "./plan.ts";
import { readPrograms, type Program } from "./programs.ts";
import { goWorkOf, isFile } from "./source-files.ts";

export interface PlanOptions {
  readonly source: string;
  readonly pattern: string;
  readonly providers?: readonly string[];
  readonly division: Division;
  readonly contract: BuildContract;
  readonly goRoot: string;
  /** Where Go keeps modules that it has to fetch for reading the graph. */
  readonly store: string;
  readonly timings?: Timings;
  readonly allowFailed?: readonly string[];
  readonly progress: Progress;
}

/** Reads a repository's programs and build graph and divides them into shards. Programs that do not load become faults. */
export async function makePlan(options: PlanOptions): Promise<Plan> {
  const { source, progress, contract, store } = options;
  const { programs, skipped } = await readPrograms(source, options.pattern, options.providers);
  await requireLocalStore(store);
  await requireWholeWorkspaces(source, programs);
  progress.step(`reading the build graph of ${programs.length} programs`);
  const mounts: GoMounts = {
    contract,
    goRoot: options.goRoot,
    goModCache: path.join(store, "go-mod"),
    goBuildCache: path.join(store, "go-build"),
  };
  const graph = await readGraph(mounts, source, programs, progress);
  return {
    version: 1,
    contract,
    pattern: options.pattern,
    programs: programs.filter(({ directory }) => !graph.skipped.includes(directory)),
    skipped: [...skipped, ...graph.skipped].sort(),
    goModules: goModuleNeeds(graph),
    faults: Object.fromEntries([...graph.faults].sort()),
    allowFailed: options.allowFailed ?? [],
    shards: divide(graph, programs, options.division, options.timings),
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

/** What is wrong with a plan that was read from a file, or undefined. */
export function planFault(document: Partial<Plan>): string | undefined {
  const { contract, pattern, programs, skipped, goModules, faults, allowFailed, shards } = document;
  const wrong = contractFault(contract);
  if (wrong !== undefined) return wrong;
  if (typeof pattern !== "string" || typeof faults !== "object") return "it has no pattern or faults";
  if (![programs, skipped, allowFailed, shards].every(Array.isArray)) {
    return "it has no programs, skipped, allowFailed or shards";
  }
  const needs = Object.values(goModules ?? {}).flatMap(({ required, spare }) => [required, spare]);
  if (!goModules || needs.some((names) => !Array.isArray(names))) return "it has no goModules";
  const stray = needs.flat().find((name) => !MODULE_VERSION.test(name) || name.startsWith("-"));
  if (stray !== undefined) return `"${stray}" is no version of a Go module`;
  const outside = (programs ?? []).find(({ directory, goModule }) =>
    [directory, goModule].some(
      (name) => typeof name !== "string" || name.startsWith("/") || name.split("/").includes(".."),
    ),
  );
  if (outside) return `its program ${JSON.stringify(outside)} is not below the source`;
  const broken = (shards ?? []).find((shard) => !Array.isArray(shard.programs) || typeof shard.packages !== "object");
  if (broken) return `its shard ${broken.id} is not one`;
  const option = (shards ?? []).flatMap(({ packages }) => Object.keys(packages)).find((name) => name.startsWith("-"));
  return option === undefined ? undefined : `"${option}" is no import path`;
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
