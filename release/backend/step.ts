/** One call of a vendor's command line. */
export interface Command {
  /** The program and its arguments. `$NAME` as a whole argument stands for what an earlier command printed. */
  readonly argv: readonly [string, ...string[]];
  /** A document for its standard input: some tools take one from a file only. */
  readonly input?: string;
  /** The variable that keeps what it prints. */
  readonly sets?: string;
}

/** A command that only looks: what it exits with says whether a step is done. */
export interface Check extends Command {
  /** Done only where it also prints something. */
  readonly prints?: true;
}

/** One thing that a shared backend has: how to see whether it is there, and how to make it. */
export interface Step {
  readonly title: string;
  /** Without a check the commands are such that running them again changes nothing. */
  readonly check?: Check;
  readonly run: readonly Command[];
  /** What a person must do first where the check fails and there is nothing that kiln may run. */
  readonly byHand?: string;
}

/** The programs that steps call, each once. */
export function programsOf(steps: readonly Step[]): readonly string[] {
  const commands = steps.flatMap(({ check, run }) => [...(check ? [check] : []), ...run]);
  return [...new Set(commands.map(({ argv }) => argv[0]))];
}

/** Steps as a POSIX shell script that a person can read, change and run in the project's folder. */
export function scriptOf(steps: readonly Step[], environment: Readonly<Record<string, string>>): string {
  const exported = Object.entries(environment).map(([name, value]) => `export ${name}=${quoted(value)}`);
  return [
    "#!/bin/sh",
    "set -eu",
    ...exported,
    ...steps.map((step) => `\n# ${step.title}\n${linesOf(step).join("\n")}`),
  ].join("\n");
}

function linesOf({ check, run, byHand }: Step): readonly string[] {
  const commands = run.map(commandLine);
  if (check === undefined) return commands;
  const otherwise = byHand === undefined ? commands : [`echo ${quoted(byHand)} >&2`, "exit 1"];
  return [`if ! ${checkLine(check)}; then`, ...otherwise.map((line) => `  ${line}`), "fi"];
}

function checkLine(check: Check): string {
  const call = words(check.argv);
  if (check.prints) return `[ -n "$(${call} 2>/dev/null)" ]`;
  return check.sets === undefined ? `${call} >/dev/null 2>&1` : `${check.sets}=$(${call} 2>/dev/null)`;
}

function commandLine({ argv, input, sets }: Command): string {
  const call = input === undefined ? words(argv) : `${words(argv)} <<'END'\n${input}\nEND`;
  return sets === undefined ? call : `${sets}=$(${call})`;
}

function words(argv: readonly string[]): string {
  return argv.map(quoted).join(" ");
}

const VARIABLE = /^\$([A-Z_]+)$/;

function quoted(word: string): string {
  if (VARIABLE.test(word)) return `"${word}"`;
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A command's arguments with the variables that earlier commands set in place. */
export function resolved(argv: Command["argv"], variables: ReadonlyMap<string, string>): Command["argv"] {
  const [program, ...args] = argv;
  return [program, ...args.map((word) => variables.get(VARIABLE.exec(word)?.[1] ?? "") ?? word)];
}
