import { cp, link, mkdir, readdir } from "node:fs/promises";
import path from "node:path";
import type { Plan } from "../../cache/plan.ts";
import { removeFolder } from "../../toolchain/remove-folder.ts";
import type { Step, StepContext } from "../step.ts";
import { coldBake } from "./kiln.ts";
import { allowedFailures, kiln, kilnFolder } from "./kiln-command.ts";

export const RUNNERS = 8;

/** A plan for eight runners, as far as the figure reads it: seconds. */
export interface PlannedShards {
  readonly shards: readonly { readonly id: string; readonly predicted: number; readonly cpu: number }[];
  /** The least that any division could take, as the plan says. */
  readonly least: number;
  readonly cores: number;
  /** Whether shards share packages, and what the plan expects of those. */
  readonly hasBase: boolean;
  readonly base: number;
}

export interface MakespanSteps {
  readonly plan: Step<PlannedShards>;
  readonly base: Step<number>;
  /** Wall seconds of each shard alone; of one that the plan does not have, 0. */
  readonly shards: readonly Step<number>[];
}

/**
 * The steps that time eight shards: the plan, with the timings that the cold bake noted; the base, once; then each shard
 * alone, in a store that holds the base's results, as on a runner that was given them.
 */
export function makespanSteps(): MakespanSteps {
  const plan: Step<PlannedShards> = {
    id: `kiln/plan ${RUNNERS}`,
    title: `kiln: plan for ${RUNNERS} runners`,
    method: "kiln",
    after: [coldBake],
    run: planShards,
  };
  const base: Step<number> = {
    id: "kiln/shard base",
    title: "kiln: the packages that shards share",
    method: "kiln",
    after: [plan],
    standing: ({ work }) => exists(shardFolder(work, "base")),
    async run(context) {
      await removeFolder(shardFolder(context.work));
      await mkdir(shardFolder(context.work, "base"), { recursive: true });
      const { hasBase } = await planShards(context);
      return hasBase ? warmShard(context, "base", shardFolder(context.work, "base")) : 0;
    },
  };
  const shards = Array.from({ length: RUNNERS }, (_, index): Step<number> => {
    const id = `shard-${index + 1}`;
    return {
      id: `kiln/${id}`,
      title: `kiln: ${id} of ${RUNNERS}, alone`,
      method: "kiln",
      after: [base],
      reads: [plan],
      async run(context) {
        if (!context.result(plan).shards.some((shard) => shard.id === id)) return 0;
        const store = shardFolder(context.work, "store");
        await removeFolder(store);
        try {
          await copyStore(shardFolder(context.work, "base"), store);
          return await warmShard(context, id, store);
        } finally {
          await removeFolder(store);
        }
      },
    };
  });
  return { plan, base, shards };
}

function shardFolder(work: string, ...parts: readonly string[]): string {
  return kilnFolder(work, "shards", ...parts);
}

async function planShards(context: StepContext): Promise<PlannedShards> {
  const { selection, work } = context;
  const plan = await kiln<Plan>(context, [
    ...["cache", "plan", "--source", selection.source, "--modules", selection.pattern, "--shards", String(RUNNERS)],
    ...["--store", kilnFolder(work, "store"), "--out", shardFolder(work, "plan.json")],
    ...allowedFailures(context),
  ]);
  const base = plan.shards.find(({ id }) => id === "base");
  const expected = plan.predicted?.runners.find(({ runners }) => runners === RUNNERS);
  return {
    shards: plan.shards
      .filter(({ id }) => id !== "base")
      .map(({ id, predicted }) => ({ id, predicted: predicted?.wall ?? NaN, cpu: predicted?.cpu ?? NaN })),
    least: expected?.least.shards ?? NaN,
    cores: plan.predicted?.cores ?? NaN,
    hasBase: base !== undefined,
    base: base?.predicted?.wall ?? 0,
  };
}

/** Wall seconds of `kiln cache warm` for one shard, as a runner runs it. */
async function warmShard(context: StepContext, id: string, store: string): Promise<number> {
  const { selection, work } = context;
  const out = shardFolder(work, "out");
  await removeFolder(out);
  const start = performance.now();
  await kiln(context, [
    ...["cache", "warm", "--plan", shardFolder(work, "plan.json"), "--source", selection.source],
    ...["--shard", id, "--store", store, "--out", out],
  ]);
  const seconds = (performance.now() - start) / 1000;
  await removeFolder(out);
  return seconds;
}

/** Copies a store by hard links; action entries are copied, since Go writes them anew in place. */
async function copyStore(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [file, target] = [path.join(from, entry.name), path.join(to, entry.name)];
    if (entry.isDirectory()) await copyStore(file, target);
    else if (/^[0-9a-f]{64}-a$/.test(entry.name)) await cp(file, target, { preserveTimestamps: true });
    else await link(file, target);
  }
}

async function exists(folder: string): Promise<boolean> {
  return readdir(folder).then(
    () => true,
    () => false,
  );
}
