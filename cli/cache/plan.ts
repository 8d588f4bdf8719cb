import path from "node:path";
import { readJson, writeJson } from "../../cache/manifest.ts";
import { parseLanes, type Lanes } from "../../cache/lanes.ts";
import { matrixOf, type Division, type Plan, type Timings } from "../../cache/plan.ts";
import { matchesGlob } from "../../cache/pattern.ts";
import { makePlan, unexpectedFailures } from "../../cache/planning.ts";
import { readPrograms } from "../../cache/programs.ts";
import { EXIT, KilnError } from "../../errors.ts";
import type { Command, Invocation } from "../command.ts";
import { noArguments, optional, repeated, required } from "../options.ts";
import { duration, table } from "../printer.ts";
import {
  goTool,
  ownContract,
  SELECTION,
  SELECTION_HELP,
  readySource,
  STORE_HELP,
  storeOf,
  TARGET,
  TARGET_HELP,
} from "./selection.ts";

/** `kiln cache modules`. */
export const modulesCommand: Command = {
  name: "cache modules",
  summary: "List the Go programs that would be warmed.",
  usage: "--source DIR --modules PATTERN [--provider P]…",
  options: SELECTION,
  help: SELECTION_HELP,
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const source = await readySource(values, progress);
    const found = await readPrograms(source, required(values, "modules"), repeated(values, "provider"));
    const rows = found.programs.map(({ provider, module, directory }) => [provider, module, directory]);
    const skipped =
      found.skipped.length > 0 ? `, ${found.skipped.length} matching directories hold no Go main package` : "";
    return { json: found, text: `${table(rows)}\n${found.programs.length} programs${skipped}` };
  },
};

/** Options by which commands divide programs into shards. */
export const PLANNING = {
  ...SELECTION,
  ...TARGET,
  shards: { type: "string" },
  by: { type: "string" },
  timings: { type: "string" },
  "allow-failed": { type: "string", multiple: true },
  store: { type: "string" },
} as const;

export const PLANNING_HELP = {
  ...SELECTION_HELP,
  ...TARGET_HELP,
  shards: "this many shards of about equal compile cost",
  by: '"provider": a shard a provider',
  timings: "measured seconds by package, a JSON object",
  "allow-failed": "programs that are known not to compile (a glob of directories; may be repeated)",
  store: STORE_HELP,
} as const;

/** `kiln cache plan`. */
export const planCommand: Command = {
  name: "cache plan",
  summary: "Divide a repository's programs into shards.",
  usage:
    "--source DIR --modules PATTERN (--shards N | --by provider) --out PLAN.json [--matrix [--runs-on LABEL | --lanes PREFIX:N]]",
  options: {
    ...PLANNING,
    out: { type: "string" },
    matrix: { type: "boolean" },
    "runs-on": { type: "string" },
    lanes: { type: "string" },
  },
  help: {
    ...PLANNING_HELP,
    out: "the plan file to write",
    matrix: "print a GitHub Actions matrix",
    "runs-on": "runner label for the matrix (default: ubuntu-latest)",
    lanes: "PREFIX:N, instead of --runs-on: each shard's own lane, PREFIX-lane-0 and so on, where its cache is",
  },
  async run(invocation) {
    const { values, positionals } = invocation;
    noArguments(positionals);
    const out = required(values, "out");
    const runsOn = runsOnOf(values);
    const made = await planOf(invocation);
    const matrix = values.matrix === true ? matrixOf(made, runsOn) : undefined;
    await writeJson(path.resolve(out), made);
    const failed = unexpectedFailures(made.faults, made.allowFailed).length > 0;
    const exitCode = failed ? EXIT.failed : EXIT.done;
    if (matrix !== undefined) return { json: matrix, text: JSON.stringify(matrix), exitCode };
    const rows = made.shards.map((shard) => [
      shard.id,
      String(shard.programs.length),
      String(Object.keys(shard.packages).length),
      duration(shard.cost),
    ]);
    return { json: made, text: table([["shard", "programs", "packages", "estimate on one core"], ...rows]), exitCode };
  },
};

/** Where the matrix sends shards: to one label, or to lanes. */
function runsOnOf(values: Invocation["values"]): string | Lanes {
  const [label, lanes] = [optional(values, "runs-on"), optional(values, "lanes")];
  if (lanes === undefined) return label ?? "ubuntu-latest";
  if (label !== undefined || values.matrix !== true) {
    throw new KilnError(
      "usage",
      label === undefined ? "--lanes says nothing without --matrix" : "give either --runs-on or --lanes",
      {
        mend: "See --help.",
      },
    );
  }
  return parseLanes(lanes);
}

/** The plan that a command's options describe; programs that do not load are noted, not fatal yet. */
export async function planOf({ values, progress }: Invocation): Promise<Plan> {
  const timings = optional(values, "timings");
  const { root } = await goTool(progress, storeOf(values));
  const made = await makePlan({
    source: await readySource(values, progress),
    pattern: required(values, "modules"),
    providers: repeated(values, "provider"),
    division: divisionOf(values),
    contract: ownContract(values),
    goRoot: root,
    store: storeOf(values),
    ...(timings === undefined ? {} : { timings: await readTimings(timings) }),
    allowFailed: repeated(values, "allow-failed"),
    progress,
  });
  for (const glob of made.allowFailed.filter(
    (one) => !made.programs.some(({ directory }) => matchesGlob(one, directory)),
  ))
    progress.note(`--allow-failed ${glob} names no program (it takes directories with * and **)`);
  for (const [directory, fault] of unexpectedFailures(made.faults, made.allowFailed))
    progress.note(`${directory}: ${fault}`);
  return made;
}

function divisionOf(values: Invocation["values"]): Division {
  const [shards, by] = [optional(values, "shards"), optional(values, "by")];
  if ((shards === undefined) === (by === undefined)) {
    throw new KilnError("usage", "give either --shards N or --by provider", { mend: "See --help." });
  }
  if (by !== undefined) {
    if (by !== "provider")
      throw new KilnError("usage", `--by ${by}: shards are made by provider`, { mend: "Write --by provider." });
    return { by };
  }
  const count = Number(shards);
  if (!Number.isInteger(count) || count < 1) {
    throw new KilnError("usage", `--shards ${shards ?? ""} is not a number of shards`, {
      mend: "Write a whole number from 1 on.",
    });
  }
  return { count };
}

async function readTimings(file: string): Promise<Timings> {
  const document = await readJson<{ version: number; seconds?: Timings }>(
    path.resolve(file),
    "a timings file",
    'Write {"version": 1, "seconds": {"import/path": 1.5}}.',
    timingsFault,
  );
  return document.seconds ?? {};
}

function timingsFault({ seconds }: { readonly seconds?: Timings }): string | undefined {
  const wrong = Object.entries(seconds ?? {}).find(([, value]) => typeof value !== "number" || !(value >= 0));
  return wrong ? `the seconds of "${wrong[0]}" are ${JSON.stringify(wrong[1])}` : undefined;
}
