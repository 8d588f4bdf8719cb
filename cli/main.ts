import { parseArgs } from "node:util";
import { EXIT, KilnError, messageOf } from "../errors.ts";
import { interruption } from "../toolchain/process.ts";
import type { Command } from "./command.ts";
import { readCommands } from "./commands.ts";
import { helpOf, overview } from "./help.ts";
import { printable } from "./printable.ts";
import { printer } from "./printer.ts";

const COMMON_OPTIONS = {
  json: { type: "boolean" },
  quiet: { type: "boolean" },
  debug: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

/** Runs one command line and returns its exit code (see EXIT). Results go to standard output, all else to standard error. */
export async function main(argv: readonly string[]): Promise<number> {
  const debug = argv.includes("--debug");
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  // A terminal that is closed says so to its whole group: it may come twice.
  process.off("SIGHUP", interrupt).on("SIGHUP", interrupt);
  for (const stream of [process.stdout, process.stderr])
    stream.off("error", onClosedTerminal).on("error", onClosedTerminal);
  try {
    return await dispatch(argv);
  } catch (error) {
    return report(error, debug, argv.includes("--json"));
  }
}

function interrupt(): void {
  interruption.abort();
}

/** Messages to a terminal that was closed go nowhere; what stops and cleans up is still done. */
function onClosedTerminal(): void {
  return;
}

async function dispatch(argv: readonly string[]): Promise<number> {
  const words = argv.filter((word) => !word.startsWith("-"));
  const commands = await readCommands(words[0]);
  const command = commands
    .filter(({ name }) => `${words.join(" ")} `.startsWith(`${name} `))
    .sort((a, b) => b.name.length - a.name.length)
    .at(0);
  if (!command) return noCommand(argv, words, commands);

  const { values, positionals } = parse(command, argv);
  if (values.help === true) {
    process.stdout.write(helpOf(command));
    return EXIT.done;
  }
  const progress = printer({
    stream: process.stderr,
    quiet: values.quiet === true,
    env: process.env,
    now: () => performance.now(),
  });
  try {
    const outcome = await command.run({ values, positionals, progress });
    progress.close();
    if (values.json === true && outcome.json !== undefined) printJson(outcome.json);
    if (values.json !== true && outcome.text !== "") process.stdout.write(`${shownText(outcome.text)}\n`);
    return outcome.exitCode ?? EXIT.done;
  } finally {
    progress.close();
  }
}

/** A terminal shows what others wrote, such as the log of a job, and never obeys it; a file or a program gets it as it is. */
function shownText(text: string): string {
  return process.stdout.isTTY ? printable(text) : text;
}

function parse(command: Command, argv: readonly string[]) {
  try {
    const parsed = parseArgs({
      args: [...argv],
      options: { ...command.options, ...COMMON_OPTIONS },
      allowPositionals: true,
      strict: true,
    });
    return {
      values: parsed.values as Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>,
      positionals: parsed.positionals.slice(command.name.split(" ").length),
    };
  } catch (error) {
    throw new KilnError("usage", messageOf(error), { mend: `\`npx kiln ${command.name} --help\` lists the options.` });
  }
}

/** Shows what there is: of the group that the first word names, else of all. It is an error where nobody asked for help. */
function noCommand(argv: readonly string[], words: readonly string[], commands: readonly Command[]): number {
  const group = commands.filter(({ name }) => name.startsWith(`${words[0] ?? ""} `));
  const shown = overview(group.length > 0 ? group : commands);
  const asked = argv.some((word) => word === "--help" || word === "-h");
  if (asked && (words.length === 0 || group.length > 0)) {
    process.stdout.write(shown);
    return EXIT.done;
  }
  if (words.length > 0) process.stderr.write(`kiln: there is no command "${words.join(" ")}"\n`);
  process.stderr.write(shown);
  return EXIT.usage;
}

/** What the system refuses, in words for the person who can mend it; undefined for what is kiln's own fault. */
const REFUSALS: Readonly<Record<string, string>> = {
  EACCES: "Let the user who runs kiln read and write it, or name another place.",
  EEXIST: "Something else stands there: name another place.",
  EISDIR: "It is a directory: name a file.",
  ENOSPC: "Free space there, or name a place on a larger disk.",
  ENOTDIR: "A part of that path is a file: name another place.",
  EPERM: "Let the user who runs kiln write it, or name another place.",
  EROFS: "It cannot be written to: name another place.",
};

function systemError(error: unknown): KilnError | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  const mend = code === undefined || !Object.hasOwn(REFUSALS, code) ? undefined : REFUSALS[code];
  return mend === undefined ? undefined : new KilnError("failed", messageOf(error), { mend, cause: error });
}

function report(error: unknown, debug: boolean, json: boolean): number {
  const known = error instanceof KilnError ? error : systemError(error);
  if (json) {
    const document = { error: { kind: known?.kind ?? "failed", message: messageOf(error), mend: known?.mend } };
    printJson(document);
  }
  if (known?.kind === "interrupted" || interruption.signal.aborted) {
    process.stderr.write("kiln: interrupted; what is done is kept, and the same command goes on from there\n");
    return EXIT.interrupted;
  }
  // A message may quote others: a server, a program, a file.
  process.stderr.write(printable(`kiln: ${messageOf(error)}\n`));
  if (known?.mend !== undefined) process.stderr.write(printable(`      ${known.mend}\n`));
  if (debug && error instanceof Error) process.stderr.write(printable(`${error.stack ?? ""}\n`));
  else if (!known) process.stderr.write("      This is a fault in kiln; --debug shows where.\n");
  return EXIT[known?.kind ?? "failed"];
}

/** Prints the one document of `--json`. Manifests have tens of megabytes: their text is not copied to get its line end. */
function printJson(document: unknown): void {
  process.stdout.write(JSON.stringify(document, null, 2));
  process.stdout.write("\n");
}
