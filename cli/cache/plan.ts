import path from "node:path";
import { writeJson } from "../../cache/manifest.ts";
import { parseLanes, type Lanes } from "../../cache/lanes.ts";
import { matrixOf, type Division, type Plan } from "../../cache/plan.ts";
import { matchesGlob } from "../../cache/pattern.ts";
import { planGraph, unexpectedFailures } from "../../cache/planning.ts";
import { readPrograms } from "../../cache/programs.ts";
import { readTimingsFile } from "../../cache/timings.ts";
import { EXIT, KilnError } from "../../errors.ts";
import type { Command, Invocation, Outcome } from "../command.ts";
import { noArguments, optional, repeated, required } from "../options.ts";
import { table } from "../printer.ts";
import { deliveryOf, FORM_HELP } from "./form.ts";
import { planText } from "./plan-text.ts";
import { priceMarkdown, priceText, readPrice, type PricedRepository } from "./price.ts";
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
import { STACK, STACK_HELP, withStack } from "./stack-selection.ts";

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
  programs: { type: "string" },
  cores: { type: "string" },
  memory: { type: "string" },
  "allow-failed": { type: "string", multiple: true },
  store: { type: "string" },
} as const;

export const PLANNING_HELP = {
  ...SELECTION_HELP,
  ...TARGET_HELP,
  shards: "this many shards of about equal compile cost",
  by: '"provider": a shard a provider',
  timings: "measured seconds by package, a JSON object (default: what the store noted, or else estimates by source)",
  programs: FORM_HELP.programs,
  cores: "of each runner, for predictions (default: those of this machine)",
  memory: "GB of each runner: packages that need more are named, and the largest are kept apart",
  "allow-failed": "programs that are known not to compile (a glob of directories; may be repeated)",
  store: STORE_HELP,
} as const;

/** `kiln cache plan`. */
export const planCommand: Command = {
  name: "cache plan",
  summary: "Divide a repository's programs into shards, and say what they will take.",
  usage:
    "(--stack S | --source DIR --modules PATTERN) ((--shards N | --by provider) --out PLAN.json [--matrix [--runs-on LABEL | --lanes PREFIX:N]]" +
    " | --against REF|DIR [--markdown])",
  options: {
    ...STACK,
    ...PLANNING,
    out: { type: "string" },
    matrix: { type: "boolean" },
    "runs-on": { type: "string" },
    lanes: { type: "string" },
    against: { type: "string" },
    markdown: { type: "boolean" },
  },
  help: {
    ...STACK_HELP,
    ...PLANNING_HELP,
    out: "the plan file to write",
    matrix: "print a GitHub Actions matrix",
    "runs-on": "runner label for the matrix (default: ubuntu-latest)",
    lanes: "PREFIX:N, instead of --runs-on: each shard's own lane, PREFIX-lane-0 and so on, where its cache is",
    against:
      "a warm image in a registry, or a cache directory: print what baking would cost where that is there already",
    markdown: "print it as a comment on a pull request",
  },
  async run(given) {
    const invocation = { ...given, values: await withStack(given.values) };
    const { values, positionals } = invocation;
    noArguments(positionals);
    const against = optional(values, "against");
    if (against !== undefined) return priceOutcome(invocation, against);
    if (values.markdown === true) {
      throw new KilnError("usage", "--markdown says nothing without --against", { mend: "See --help." });
    }
    const out = required(values, "out");
    const runsOn = runsOnOf(values);
    const made = await planOf(invocation);
    const matrix = values.matrix === true ? matrixOf(made, runsOn) : undefined;
    await writeJson(path.resolve(out), made);
    const exitCode = exitCodeOf(made);
    if (matrix !== undefined) return { json: matrix, text: JSON.stringify(matrix), exitCode };
    return { json: made, text: planText(made), exitCode };
  },
};

/** What baking would cost; a plan need not be divided for that, and is written only where `--out` says so. */
async function priceOutcome(invocation: Invocation, against: string): Promise<Outcome> {
  const { values, progress } = invocation;
  const stray = ["matrix", "runs-on", "lanes"].find((name) => values[name] !== undefined);
  if (stray !== undefined) {
    throw new KilnError("usage", `--${stray} goes without --against`, { mend: "Plan and price in two commands." });
  }
  const divided = ["shards", "by"].some((name) => optional(values, name) !== undefined);
  const repository = await plannedRepository(invocation, divided ? divisionOf(values) : { by: "provider" });
  const { plan: made } = repository.planned;
  const out = optional(values, "out");
  if (out !== undefined) await writeJson(path.resolve(out), made);
  const price = await readPrice(against, repository, progress);
  const text = values.markdown === true ? priceMarkdown(price, against) : priceText(price, against);
  return { json: price, text, exitCode: exitCodeOf(made) };
}

function exitCodeOf({ faults, allowFailed }: Plan): number {
  return unexpectedFailures(faults, allowFailed).length > 0 ? EXIT.failed : EXIT.done;
}

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
export async function planOf(invocation: Invocation): Promise<Plan> {
  const { planned } = await plannedRepository(invocation, divisionOf(invocation.values));
  return planned.plan;
}

async function plannedRepository({ values, progress }: Invocation, division: Division): Promise<PricedRepository> {
  const [timings, delivery, store] = [optional(values, "timings"), deliveryOf(values), storeOf(values)];
  const [cores, memory] = [numberOf(values, "cores"), numberOf(values, "memory")];
  const measured = timings === undefined ? undefined : await readTimingsFile(path.resolve(timings));
  const { root: goRoot } = await goTool(progress, store);
  const source = await readySource(values, progress);
  const planned = await planGraph({
    source,
    pattern: required(values, "modules"),
    providers: repeated(values, "provider"),
    division,
    contract: ownContract(values),
    goRoot,
    store,
    ...(measured === undefined ? {} : { timings: measured }),
    ...(delivery === undefined ? {} : { delivery }),
    ...(cores === undefined ? {} : { cores: Math.ceil(cores) }),
    ...(memory === undefined ? {} : { memory: memory * 1e9 }),
    allowFailed: repeated(values, "allow-failed"),
    progress,
  });
  const { plan: made } = planned;
  for (const glob of made.allowFailed.filter(
    (one) => !made.programs.some(({ directory }) => matchesGlob(one, directory)),
  ))
    progress.note(`--allow-failed ${glob} names no program (it takes directories with * and **)`);
  for (const [directory, fault] of unexpectedFailures(made.faults, made.allowFailed))
    progress.note(`${directory}: ${fault}`);
  return { planned, source, goRoot, store };
}

/** The positive number that an option has, or undefined. */
function numberOf(values: Invocation["values"], name: string): number | undefined {
  const text = optional(values, name);
  if (text === undefined) return undefined;
  const number = Number(text);
  if (text.trim() !== "" && number > 0 && Number.isFinite(number)) return number;
  throw new KilnError("usage", `--${name} ${text} is no number above 0`, { mend: "See --help." });
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
