import path from "node:path";
import { KilnError } from "../errors.ts";
import type { Progress } from "../progress.ts";
import type { CacheManifest } from "./manifest.ts";
import { mergeCaches } from "./merge.ts";
import { BASE_SHARD, type Plan } from "./plan.ts";
import { requireNoFailures, unexpectedFailures } from "./planning.ts";
import { compileInStore, warmShard } from "./warm.ts";

export interface WarmPlanOptions {
  readonly plan: Plan;
  readonly source: string;
  readonly goRoot: string;
  readonly store: string;
  /** Where the shards' cache directories go, and the merged one. */
  readonly shards: string;
  readonly out: string;
  readonly progress: Progress;
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

/** Warms every shard of a plan on this machine, one after the other, and merges them. Throws where no program loads. */
export async function warmPlan(options: WarmPlanOptions): Promise<WarmedPlan> {
  const { plan, source, goRoot, store, out, progress } = options;
  const shards: WarmedShard[] = [];
  const directories: string[] = [];
  for (const { id } of plan.shards) {
    const warm = { plan, shard: id, source, goRoot, store, progress };
    const start = performance.now();
    if (id === BASE_SHARD) {
      await compileInStore(warm);
      shards.push({ id, programs: 0, seconds: secondsSince(start) });
      continue;
    }
    const directory = path.join(options.shards, id);
    const { counts, modules, failed } = await warmShard({ ...warm, out: directory });
    for (const [program, reason] of unexpectedFailures(failed, plan.allowFailed))
      progress.note(`${program}: ${reason}`);
    shards.push({ id, programs: modules.length, seconds: secondsSince(start), counts });
    directories.push(directory);
  }
  if (directories.length === 0) {
    requireNoFailures(plan.faults, []);
    throw new KilnError("failed", "the plan has no shard to warm", { mend: "Plan again: `npx kiln cache plan`." });
  }
  progress.step("merging shards");
  const start = performance.now();
  const manifest = await mergeCaches(out, directories);
  return { manifest, shards, mergeSeconds: secondsSince(start) };
}

function secondsSince(start: number): number {
  return Math.round((performance.now() - start) / 100) / 10;
}
