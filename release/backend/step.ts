/** One call of a vendor's command line. */
export interface Command {
  /** The program and its arguments. `$NAME` as a whole argument stands for what an earlier command printed. */
  readonly argv: readonly [string, ...string[]];
  /** A document for its standard input: some tools take one from a file only. */
  readonly input?: string;
  /** The variable that keeps what it prints. */
  readonly sets?: string;
}

/** A command that only looks whether a step is done. */
export interface Check extends Command {
  /** Done only where it also prints something. */
  readonly prints?: true;
  /**
   * How the vendor says that the thing is not there: an extended regular expression that matches a line of the error
   * output, or of the line `exit N` after it. A failure of any other kind, such as an expired login, says nothing of the
   * thing. Without it every failure is one.
   */
  readonly absent?: string;
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

/** Whether what a check failed with says that the thing is not there. */
export function saysAbsent(
  { absent }: Check,
  { code, stderr }: { readonly code: number; readonly stderr: string },
): boolean {
  return absent !== undefined && new RegExp(absent, "m").test(`${stderr.trimEnd()}\nexit ${code}`);
}

/** `saysAbsent` for a shell: leaves what the command prints in $found, and ends the script as kiln ends. */
const IS_THERE = `said=$(mktemp)
trap 'rm -f "$said"' EXIT
# Whether a thing is there: $1 is what the command after it says where not. Any other failure of it ends the script.
is_there() {
  absent=$1
  shift
  code=0
  found=$("$@" 2>"$said") || code=$?
  if [ "$code" -eq 0 ]; then return 0; fi
  echo "exit $code" >>"$said"
  if [ -n "$absent" ] && grep -Eq -e "$absent" "$said"; then return 1; fi
  cat "$said" >&2
  exit 4
}`;

/** Steps as a POSIX shell script that a person can read, change and run in the project's folder. */
export function scriptOf(steps: readonly Step[], environment: Readonly<Record<string, string>>): string {
  const exported = Object.entries(environment).map(([name, value]) => `export ${name}=${quoted(value)}`);
  return [
    "#!/bin/sh",
    "set -eu",
    ...exported,
    ...(steps.some(({ check }) => check !== undefined) ? [IS_THERE] : []),
    ...steps.map((step) => `\n# ${step.title}\n${linesOf(step).join("\n")}`),
  ].join("\n");
}

function linesOf({ check, run, byHand }: Step): readonly string[] {
  const commands = run.map(commandLine);
  if (check === undefined) return commands;
  const otherwise = byHand === undefined ? commands : [`echo ${quoted(byHand)} >&2`, "exit 1"];
  return [`if ! ${conditionOf(check)}; then`, ...otherwise.map((line) => `  ${line}`), "fi"];
}

function conditionOf({ absent = "", argv, prints, sets }: Check): string {
  const parts = [
    words(["is_there", absent, ...argv]),
    ...(prints ? ['[ -n "$found" ]'] : []),
    ...(sets === undefined ? [] : [`${sets}=$found`]),
  ];
  return parts.length === 1 ? parts.join("") : `{ ${parts.join(" && ")}; }`;
}

function commandLine({ argv, input, sets }: Command): string {
  const call = input === undefined ? words(argv) : `${words(argv)} <<'END'\n${input}\nEND`;
  return sets === undefined ? call : `${sets}=$(${call})`;
}

/** Arguments as a shell reads them. */
export function words(argv: readonly string[]): string {
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
