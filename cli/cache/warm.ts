import path from "node:path";
import { writeJson } from "../../cache/manifest.ts";
import { mergeCaches } from "../../cache/merge.ts";
import { describeFailures, FAILURES_MEND, requireNoFailures, unexpectedFailures } from "../../cache/planning.ts";
import { pushMetrics } from "../../cache/push-metrics.ts";
import { servedText, type ServedPackages } from "../../cache/served-packages.ts";
import { verifyCache } from "../../cache/verify.ts";
import type { Plan } from "../../cache/plan.ts";
import { mountsOf, warmShard } from "../../cache/warm.ts";
import { metricsTarget } from "../../cache/warm-metrics.ts";
import { warmPlan, type WarmedPlan, type WarmedShard } from "../../cache/warm-plan.ts";
import { EXIT } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import { readyGocache } from "../../toolchain/gocache-program.ts";
import { places } from "../../toolchain/places.ts";
import { ownPlatform } from "../../toolchain/platforms.ts";
import type { Command, Invocation, Outcome } from "../command.ts";
import { noArguments, optional, required } from "../options.ts";
import { duration, size, table } from "../printer.ts";
import { deliveryOf, FORM, FORM_HELP } from "./form.ts";
import { planOf, PLANNING, PLANNING_HELP } from "./plan.ts";
import { FROM, FROM_HELP, fillFrom } from "./restore.ts";
import {
  goTool,
  planAt,
  requireOwnTools,
  SELECTION_HELP,
  readySource,
  STORE_HELP,
  storeOf,
  summary,
} from "./selection.ts";
import { STACK, STACK_HELP, withStack } from "./stack-selection.ts";
import { verified } from "./verify.ts";

/** `kiln cache warm`. */
export const warmCommand: Command = {
  name: "cache warm",
  summary: "Compile one shard of a plan and write what its programs read.",
  usage:
    "--plan PLAN.json (--stack S | --source DIR) --shard ID --out DIR [--store DIR] [--from IMAGE|DIR]… [--programs cache|binaries|both]",
  options: {
    ...STACK,
    plan: { type: "string" },
    source: { type: "string" },
    shard: { type: "string" },
    out: { type: "string" },
    store: { type: "string" },
    ...FROM,
    programs: FORM.programs,
  },
  help: {
    ...STACK_HELP,
    plan: "the plan file",
    source: SELECTION_HELP.source,
    shard: "the shard's id in the plan",
    out: "the cache directory to write",
    store: STORE_HELP,
    ...FROM_HELP,
    programs: FORM_HELP.programs,
  },
  async run({ values: given, positionals, progress }) {
    noArguments(positionals);
    const values = await withStack(given);
    const metrics = metricsTarget(process.env);
    const made = await planAt(values);
    requireOwnTools(made);
    const { root } = await goTool(progress, storeOf(values));
    const options = {
      plan: made,
      shard: required(values, "shard"),
      source: await readySource(values, progress),
      ...(await warmTools(root, values, progress)),
      // A stack's bake links binaries itself, where the image is put together: what it needs of a shard is what that compiled.
      ...(optional(values, "stack") === undefined ? {} : { delivery: "cache" as const }),
      store: storeOf(values),
      progress,
    };
    await fillFrom(values, options.store, { contract: made.contract, goRoot: root, progress });
    let served: ServedPackages = { hits: 0, misses: 0 };
    const onServed = (packages: ServedPackages) => {
      served = packages;
    };
    const start = performance.now();
    const manifest = await warmShard({ ...options, onServed, out: path.resolve(required(values, "out")) });
    if (metrics !== undefined) {
      const { gateway, scaleSet } = metrics;
      const seconds = (performance.now() - start) / 1000;
      const measure = { ...served, shard: options.shard, scaleSet, seconds, ended: Date.now() / 1000 };
      await pushMetrics(gateway, measure, progress);
    }
    progress.note(servedText(served));
    requireNoFailures(manifest.failed, made.allowFailed);
    return { json: { ...manifest, ...served }, text: summary(manifest) };
  },
};

/** What warming needs of tools, and how programs are to be delivered where the options say so. */
async function warmTools(goRoot: string, values: Invocation["values"], progress: Progress) {
  const goarch = ownPlatform().replace(/^.*\//, "");
  const gocache = await readyGocache({ places: places(), goRoot, goarch, progress });
  const delivery = deliveryOf(values);
  return { goRoot, gocache, ...(delivery === undefined ? {} : { delivery }) };
}

/** `kiln cache merge`. */
export const mergeCommand: Command = {
  name: "cache merge",
  summary: "Merge shards' cache directories by hard links.",
  usage: "--out DIR SHARD_DIR…",
  options: { out: { type: "string" } },
  help: { out: "the cache directory to write" },
  async run({ values, positionals }) {
    const manifest = await mergeCaches(
      path.resolve(required(values, "out")),
      positionals.map((directory) => path.resolve(directory)),
    );
    return { json: manifest, text: summary(manifest) };
  },
};

/** `kiln cache simulate`. */
export const simulateCommand: Command = {
  name: "cache simulate",
  summary: "Plan, warm every shard, merge and verify on this machine.",
  usage: "--source DIR --modules PATTERN (--shards N | --by provider) --out DIR [--programs cache|binaries|both]",
  options: { ...PLANNING, out: { type: "string" }, programs: FORM.programs },
  help: {
    ...PLANNING_HELP,
    out: "the merged cache directory; the plan and the shards go beside it",
    programs: FORM_HELP.programs,
  },
  async run(invocation) {
    const { values, positionals, progress } = invocation;
    noArguments(positionals);
    const out = path.resolve(required(values, "out"));
    const made = await planOf(invocation);
    await writeJson(`${out}.plan.json`, made);
    const source = await readySource(values, progress);
    const { root } = await goTool(progress);
    const warmed = await warmPlan({
      ...{ plan: made, source, store: storeOf(values), progress, ...(await warmTools(root, values, progress)) },
      ...{ shards: `${out}.shards`, out },
    });
    return simulated(made, warmed, await verifiedHere(made, warmed.manifest, { root, out, source, progress }));
  },
};

/** Builds every warm program from the merged caches; binaries alone need no build. */
async function verifiedHere(
  made: Plan,
  { delivery, modules }: WarmedPlan["manifest"],
  {
    root,
    out,
    source,
    progress,
  }: Readonly<Record<"root" | "out" | "source", string>> & { readonly progress: Progress },
): Promise<Outcome> {
  if (delivery === "binaries") return { json: null, text: `${out} has binaries alone: there is nothing to build` };
  progress.step("verifying without network");
  const programs = made.programs.filter((program) => modules.includes(program.directory));
  return verified(await verifyCache(mountsOf(made, root, out), source, programs, progress), out);
}

/** What a simulation ends with: the programs that do not compile are named, the others are verified all the same. */
function simulated(made: Plan, { manifest, shards, mergeSeconds }: WarmedPlan, outcome: Outcome): Outcome {
  const failures = { ...made.faults, ...manifest.failed };
  const unexpected = unexpectedFailures(failures, made.allowFailed);
  const known = Object.keys(failures).length - unexpected.length;
  const text = [
    outcome.text,
    shardTable(shards),
    `merged in ${duration(mergeSeconds)}; ${summary(manifest)}`,
    ...(made.skipped.length > 0 ? [`${made.skipped.length} matching directories hold no Go main package`] : []),
    ...(known > 0 ? [`${known} programs do not compile, as --allow-failed says`] : []),
    ...(unexpected.length > 0 ? [`${describeFailures(unexpected)}\n${FAILURES_MEND}`] : []),
  ];
  const json = { manifest, shards, mergeSeconds, skipped: made.skipped, failures, verification: outcome.json };
  return { ...outcome, json, text: text.join("\n\n"), ...(unexpected.length > 0 ? { exitCode: EXIT.failed } : {}) };
}

/** Time and size of each shard: what a provider's programs would need if they stood alone, common packages included. */
function shardTable(shards: readonly WarmedShard[]): string {
  const rows = shards.map(({ id, programs, seconds, counts }) => [
    id,
    counts === undefined ? "" : String(programs),
    duration(seconds),
    counts === undefined ? "compiled first, for all" : size(counts.bytes),
    counts === undefined ? "" : `${counts.goBuildEntries} entries, ${counts.goModules} Go modules`,
  ]);
  return table([["shard", "programs", "time", "size", ""], ...rows]);
}
