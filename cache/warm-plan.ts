import path from "node:path";
import { KilnError } from "../errors.ts";
import { programTargets } from "./compile.ts";
import type { CacheManifest } from "./manifest.ts";
import { mergeCaches } from "./merge.ts";
import { BASE_SHARD, type Plan } from "./plan.ts";
import { requireNoFailures, unexpectedFailures } from "./planning.ts";
import { compileInStore, warmPortion, warmShard, type Portion, type WarmedPortion, type WarmOptions } from "./warm.ts";

export interface WarmPlanOptions extends WarmOptions {
  /** Where the shards' cache directories go, and the merged one. */
  readonly shards: string;
  readonly out: string;
}

/** What warming one shard took on this machine, and what its programs need of the caches if they stood alone. */
export interface WarmedShard {
  readonly id: string;
  readonly programs: number;
  /** Wall time. Of the base, what the others find compiled already. */
  readonly seconds: number;
  /** Absent for the base, which is not written out by itself. */
  readonly counts?: CacheManifest["counts"];
}

export interface WarmedPlan {
  readonly manifest: CacheManifest;
  readonly shards: readonly WarmedShard[];
  readonly mergeSeconds: number;
}

/**
 * Warms all of a plan on this machine: one build graph for each go.mod, whatever the plan's shards, and one cache directory
 * with what each provider's programs read. Throws where no program loads.
 */
export async function warmAll(options: WarmOptions & { readonly out: string }): Promise<WarmedPortion> {
  const { plan, progress, out } = options;
  const portion = wholePlan(plan);
  if (portion.programs.length === 0) throw nothingToWarm(plan);
  const warmed = await warmPortion(options, portion, out);
  noteFailures(plan, warmed.manifest, progress);
  return warmed;
}

/** All programs of a plan that load. */
function wholePlan(plan: Plan): Portion {
  const loading = new Set(plan.shards.flatMap(({ programs }) => programs));
  const programs = plan.programs.filter(({ directory }) => loading.has(directory));
  const costs = Object.assign({}, ...plan.shards.map(({ packages }) => packages)) as Portion["costs"];
  return { id: "all", programs, targets: programTargets(programs), costs };
}

/** Warms every shard of a plan on this machine, one after the other, and merges them. Throws where no program loads. */
export async function warmPlan({ shards: folder, out, ...options }: WarmPlanOptions): Promise<WarmedPlan> {
  const { plan, progress } = options;
  const shards: WarmedShard[] = [];
  const directories: string[] = [];
  for (const { id } of plan.shards) {
    const warm = { ...options, shard: id };
    const start = performance.now();
    if (id === BASE_SHARD) {
      await compileInStore(warm);
      shards.push({ id, programs: 0, seconds: secondsSince(start) });
      continue;
    }
    const directory = path.join(folder, id);
    const manifest = await warmShard({ ...warm, out: directory });
    noteFailures(plan, manifest, progress);
    shards.push({ id, programs: manifest.modules.length, seconds: secondsSince(start), counts: manifest.counts });
    directories.push(directory);
  }
  if (directories.length === 0) throw nothingToWarm(plan);
  progress.step("merging shards");
  const start = performance.now();
  const manifest = await mergeCaches(out, directories);
  return { manifest, shards, mergeSeconds: secondsSince(start) };
}

function noteFailures({ allowFailed }: Plan, { failed }: CacheManifest, progress: WarmOptions["progress"]): void {
  for (const [program, reason] of unexpectedFailures(failed, allowFailed)) progress.note(`${program}: ${reason}`);
}

/** What to throw where a plan has no program to warm; throws the programs' faults itself where there are some. */
function nothingToWarm(plan: Plan): KilnError {
  requireNoFailures(plan.faults, []);
  return new KilnError("failed", "the plan has no shard to warm", { mend: "Plan again: `npx kiln cache plan`." });
}

function secondsSince(start: number): number {
  return Math.round((performance.now() - start) / 100) / 10;
}
