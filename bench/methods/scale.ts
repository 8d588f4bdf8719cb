import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { cp } from "node:fs/promises";
import path from "node:path";
import type { BuildContract } from "../../cache/contract.ts";
import { MANIFEST_VERSION, writeJson, type CacheManifest } from "../../cache/manifest.ts";
import type { Program } from "../../cache/programs.ts";
import { KilnError } from "../../errors.ts";
import { removeFolder } from "../../toolchain/remove-folder.ts";
import type { Step, StepContext } from "../step.ts";
import { modulesStep } from "./common.ts";
import { kilnFolder } from "./kiln-command.ts";
import { measuredKiln, type MeasuredCommand } from "./measured-kiln.ts";

export const MODULES = 1_000;
const ENTRIES = 200_000;

/** Planning a repository of a thousand programs: those of the selection, again and again under other names. */
export const planThousand: Step<MeasuredCommand> = {
  id: "kiln/plan 1000",
  title: `kiln: planning ${MODULES} modules`,
  method: "kiln",
  after: [modulesStep],
  async run(context) {
    const folder = kilnFolder(context.work, "thousand");
    try {
      const { source, pattern } = await makeThousand(context, folder);
      const plan = ["cache", "plan", "--source", source, "--modules", pattern, "--shards", "8"];
      const store = path.join(folder, "store");
      const args = [...plan, "--store", store, "--out", path.join(folder, "plan.json")];
      // The first one unpacks the modules: that is fetching, which is no part of planning.
      await measuredKiln(context, args);
      return await measuredKiln(context, args, (document) => {
        const { programs } = document as { readonly programs: readonly unknown[] };
        if (programs.length === MODULES) return;
        throw new KilnError("failed", `the plan has ${programs.length} programs`);
      });
    } finally {
      await removeFolder(folder);
    }
  },
};

async function makeThousand(
  { selection }: StepContext,
  folder: string,
): Promise<{ readonly source: string; readonly pattern: string }> {
  await removeFolder(folder);
  await cp(selection.root, path.join(folder, "source"), { recursive: true });
  const source = path.join(folder, "source", path.relative(selection.root, selection.source));
  const [goModule = ".", programs = []] = mostOfOneModule(selection.programs);
  const below = path.posix.join(goModule, "kiln-bench-thousand");
  for (let number = 0; number < MODULES; number += 1) {
    const program = programs[number % programs.length];
    if (program === undefined) break;
    const name = `${program.module}-${Math.floor(number / programs.length)}-${number}`;
    await cp(path.join(selection.source, program.directory), path.join(source, below, program.provider, name), {
      recursive: true,
    });
  }
  return { source, pattern: `${below}/{provider}/{module}` };
}

/** The programs of the go.mod that governs most of them. */
function mostOfOneModule(programs: readonly Program[]): readonly [string, readonly Program[]] | [] {
  const byModule = [...Map.groupBy(programs, ({ goModule }) => goModule)];
  return byModule.sort(([, a], [, b]) => b.length - a.length)[0] ?? [];
}

/** Merging two hundred thousand entries of eight shards that share a tenth of theirs. */
export const mergeMany: Step<MeasuredCommand> = {
  id: "kiln/merge 200000",
  title: `kiln: merging ${ENTRIES} entries`,
  method: "kiln",
  async run(context) {
    const folder = kilnFolder(context.work, "many");
    try {
      await removeFolder(folder);
      const shards = await writeShards(folder, context.contract);
      const args = ["cache", "merge", "--out", path.join(folder, "merged"), ...shards];
      return await measuredKiln(context, args, (document) => {
        const { counts } = document as CacheManifest;
        if (counts.goBuildEntries === ENTRIES) return;
        throw new KilnError("failed", `the merge has ${counts.goBuildEntries} entries`);
      });
    } finally {
      await removeFolder(folder);
    }
  },
};

const SHARDS = 8;
/** Of all entries: those that every shard has. */
const SHARED = 0.1;

async function writeShards(folder: string, contract: BuildContract): Promise<readonly string[]> {
  const shared = (ENTRIES * SHARED) / 2;
  const own = (ENTRIES / 2 - shared) / SHARDS;
  const shards: string[] = [];
  for (let shard = 0; shard < SHARDS; shard += 1) {
    const directory = path.join(folder, `shard-${shard}`);
    for (let high = 0; high < 256; high += 1) {
      mkdirSync(path.join(directory, "go-build", high.toString(16).padStart(2, "0")), { recursive: true });
    }
    const goBuild = [...entries(directory, shared, "shared"), ...entries(directory, own, `of shard ${shard}`)].sort();
    await writeJson(path.join(directory, "manifest.json"), manifestOf(`provider${shard}`, goBuild, contract));
    shards.push(directory);
  }
  return shards;
}

/** Writes pairs of an action and its output, as Go does, and returns their names. */
function entries(directory: string, pairs: number, seed: string): readonly string[] {
  return Array.from({ length: pairs }, (_, number) => {
    const content = `${seed} ${number}`;
    const [action, output] = [sha256(`action of ${content}`), sha256(content)];
    const names = [`${action.slice(0, 2)}/${action}-a`, `${output.slice(0, 2)}/${output}-d`] as const;
    const line = `v1 ${action} ${output} ${String(content.length).padStart(20)} ${"4102444800000000000".padStart(20)}\n`;
    writeFileSync(path.join(directory, "go-build", names[0]), line);
    writeFileSync(path.join(directory, "go-build", names[1]), content);
    return names;
  }).flat();
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function manifestOf(provider: string, goBuild: readonly string[], contract: BuildContract): CacheManifest {
  return {
    ...{ version: MANIFEST_VERSION, contract, delivery: "cache", modules: [], failed: {}, programs: {}, objects: {} },
    ...{ closures: { [provider]: { goBuild, goMod: [], sources: [] } }, spare: [], goModMetadata: [] },
    counts: { goBuildEntries: goBuild.length, goModules: 0, bytes: 0 },
  };
}
