import path from "node:path";
import { writeJson } from "../../cache/manifest.ts";
import { mergeCaches } from "../../cache/merge.ts";
import { BASE_SHARD } from "../../cache/plan.ts";
import { requireNoFailures } from "../../cache/planning.ts";
import { verifyCache } from "../../cache/verify.ts";
import { compileInStore, mountsOf, warmShard } from "../../cache/warm.ts";
import type { Command } from "../command.ts";
import { noArguments, required } from "../options.ts";
import { planOf, PLANNING, PLANNING_HELP } from "./plan.ts";
import { goTool, planAt, SELECTION_HELP, sourceOf, STORE_HELP, storeOf, summary } from "./selection.ts";
import { verified } from "./verify.ts";

/** `kiln cache warm`. */
export const warmCommand: Command = {
  name: "cache warm",
  summary: "Compile one shard of a plan and write what its programs read.",
  usage: "--plan PLAN.json --source DIR --shard ID --out DIR [--store DIR]",
  options: {
    plan: { type: "string" },
    source: { type: "string" },
    shard: { type: "string" },
    out: { type: "string" },
    store: { type: "string" },
  },
  help: {
    plan: "the plan file",
    source: SELECTION_HELP.source,
    shard: "the shard's id in the plan",
    out: "the cache directory to write",
    store: STORE_HELP,
  },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const made = await planAt(values);
    const { root } = await goTool(progress);
    const options = {
      plan: made,
      shard: required(values, "shard"),
      source: sourceOf(values),
      goRoot: root,
      store: storeOf(values),
      progress,
    };
    const manifest = await warmShard({ ...options, out: path.resolve(required(values, "out")) });
    requireNoFailures(manifest.failed, made.allowFailed);
    return { json: manifest, text: summary(manifest) };
  },
};

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
  usage: "--source DIR --modules PATTERN (--shards N | --by provider) --out DIR",
  options: { ...PLANNING, out: { type: "string" } },
  help: { ...PLANNING_HELP, out: "the merged cache directory; the plan and the shards go beside it" },
  async run(invocation) {
    const { values, positionals, progress } = invocation;
    noArguments(positionals);
    const out = path.resolve(required(values, "out"));
    const made = await planOf(invocation);
    await writeJson(`${out}.plan.json`, made);
    const source = sourceOf(values);
    const { root } = await goTool(progress);
    const directories: string[] = [];
    for (const { id } of made.shards) {
      const options = { plan: made, shard: id, source, goRoot: root, store: storeOf(values), progress };
      if (id === BASE_SHARD) {
        await compileInStore(options);
        continue;
      }
      directories.push(`${out}.shards/${id}`);
      await warmShard({ ...options, out: `${out}.shards/${id}` });
    }
    if (directories.length === 0) requireNoFailures(made.faults, []);
    progress.step("merging shards");
    const manifest = await mergeCaches(out, directories);
    progress.step("verifying without network");
    const programs = made.programs.filter((program) => manifest.modules.includes(program.directory));
    const outcome = verified(await verifyCache(mountsOf(made, root, out), source, programs, progress), out);
    requireNoFailures({ ...made.faults, ...manifest.failed }, made.allowFailed);
    return {
      ...outcome,
      json: { manifest, verification: outcome.json },
      text: `${outcome.text}\n${summary(manifest)}`,
    };
  },
};
