import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { KilnError, messageOf } from "../errors.ts";

/** What a run of the bench is asked for. */
export interface BenchOptions {
  /** A directory, absolute, or a Git address as `kiln cache` takes it. */
  readonly source: string;
  readonly pattern: string;
  /** Empty for all. */
  readonly providers: readonly string[];
  readonly allowFailed: readonly string[];
  /** Keys of the figures to show, in their order. */
  readonly figures: readonly string[];
  /** Where everything of the bench stands, absolute. */
  readonly work: string;
  readonly fresh: boolean;
  /** Where the results are written as JSON besides, absolute. */
  readonly json: string | undefined;
}

export interface Project {
  /** Absolute: the examples are below it, and the default work folder. */
  readonly root: string;
  /** Every figure that there is, in the order of the table. */
  readonly figures: readonly string[];
}

const FLAGS = {
  source: { type: "string" },
  modules: { type: "string" },
  provider: { type: "string", multiple: true },
  "allow-failed": { type: "string", multiple: true },
  figures: { type: "string" },
  work: { type: "string" },
  fresh: { type: "boolean" },
  json: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

const EXAMPLES = "examples/modules/{provider}/{module}";

/** What a command line asks for; "help" where it asks for that. Throws a usage error with the mend for anything else. */
export function parseOptions(argv: readonly string[], { root, figures }: Project): BenchOptions | "help" {
  const values = valuesOf(argv);
  if (values.help === true) return "help";
  if (values.source !== undefined && values.modules === undefined) {
    throw new KilnError("usage", "--source says nothing of where its Go programs are", {
      mend: "Add --modules PATTERN, a path below it with {provider} and {module}.",
    });
  }
  const wanted = figuresOf(values.figures, figures);
  const source = values.source ?? root;
  return {
    source: /:\/\/|^git@|#/.test(source) ? source : path.resolve(source),
    pattern: values.modules ?? EXAMPLES,
    providers: listed(values.provider),
    allowFailed: values["allow-failed"] ?? [],
    figures: wanted,
    work: path.resolve(values.work ?? path.join(root, ".kiln/bench")),
    fresh: values.fresh === true,
    json: values.json === undefined ? undefined : path.resolve(values.json),
  };
}

function valuesOf(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: FLAGS, strict: true, allowPositionals: false }).values;
  } catch (error) {
    throw new KilnError("usage", messageOf(error), { mend: "`npm run bench -- --help` lists the options." });
  }
}

function figuresOf(text: string | undefined, known: readonly string[]): readonly string[] {
  if (text === undefined) return known;
  const wanted = listed([text]);
  const stranger = wanted.find((name) => !known.includes(name));
  if (stranger === undefined && wanted.length > 0) return known.filter((name) => wanted.includes(name));
  throw new KilnError("usage", `--figures ${text} names ${stranger ?? "nothing"}, which is no figure`, {
    mend: `Choose some of: ${known.join(", ")}.`,
  });
}

/** Values of an option that may be repeated, and may hold several with commas between. */
function listed(values: readonly string[] = []): readonly string[] {
  return values.flatMap((value) => value.split(",")).filter((value) => value !== "");
}

/** The page that --help prints. */
export function helpText({ root, figures }: Project): string {
  const work = path.relative(root, path.join(root, ".kiln/bench"));
  return `Usage: npm run bench [-- options]

Compares, on this machine and in one run, the published method, the same method with the settings of the image, and kiln.

  --source DIR          the repository: a directory, or a Git address URL#COMMIT[:DIRECTORY] (default: this project)
  --modules PATTERN     where its Go programs are (default: ${EXAMPLES})
  --provider P          only this provider's (may be repeated)
  --allow-failed GLOB   programs that are known not to compile (may be repeated)
  --figures A,B         only these: ${wrapped(figures)}
  --work DIR            where everything is kept; run again with the same one, it goes on (default: ${work})
  --fresh               forget what is in the work folder and start anew
  --json FILE           write {"ratios":…,"figures":…,"missing":…} there as well
  --help                this page

Exit codes: 0 every figure was measured, 1 some are missing, 2 wrong usage, 4 something outside could not be reached,
130 interrupted: the same command goes on after the last finished step. docs/bench.md says how each figure is measured.
This machine: ${os.availableParallelism()} processors, ${Math.round(os.totalmem() / 1e9)} GB.
`;
}

function wrapped(names: readonly string[]): string {
  const indent = `\n${" ".repeat(24)}`;
  return names.reduce(
    ({ text, column }, name) =>
      column + name.length > 90
        ? { text: `${text},${indent}${name}`, column: 24 + name.length }
        : { text: text === "" ? name : `${text}, ${name}`, column: column + name.length + 2 },
    { text: "", column: 36 },
  ).text;
}
