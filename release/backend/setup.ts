import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { KilnError, messageOf } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import { findExecutable } from "../../toolchain/executables.ts";
import { lastLines, run, type RunResult } from "../../toolchain/process.ts";
import { programsOf, resolved, saysAbsent, words, type Check, type Command, type Step } from "./step.ts";

/** Where to get what a machine may lack. */
const SOURCES: Readonly<Record<string, string>> = {
  aws: "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html",
  gcloud: "https://cloud.google.com/sdk/docs/install",
  az: "https://learn.microsoft.com/cli/azure/install-azure-cli",
  pulumi: "https://www.pulumi.com/docs/install",
};

export interface SetupOptions {
  /** The checkout: stack files are read and written by Pulumi there. */
  readonly project: string;
  readonly env: NodeJS.ProcessEnv;
  readonly progress: Progress;
}

export interface StepOutcome {
  readonly title: string;
  /** Whether there was something to do; a step without a check always runs. */
  readonly outcome: "was there" | "done";
}

/**
 * Goes through the steps, looks what is there, and makes the rest. Run again it changes nothing. Throws before the first
 * step where a program is missing (unreachable), at a check that gets no answer (unreachable), which is not "not there",
 * and at the first command that fails.
 */
export async function setUp(steps: readonly Step[], options: SetupOptions): Promise<readonly StepOutcome[]> {
  await requirePrograms(programsOf(steps), options.env);
  const variables = new Map<string, string>();
  const outcomes: StepOutcome[] = [];
  for (const step of steps) {
    options.progress.step(step.title);
    const outcome = await settle(step, variables, options);
    options.progress.note(outcome);
    outcomes.push({ title: step.title, outcome });
  }
  return outcomes;
}

/** Refuses a passphrase provider without a passphrase: Pulumi would take the empty one, which protects nothing. */
export function requirePassphrase(secrets: string, env: NodeJS.ProcessEnv): void {
  if (secrets !== "passphrase") return;
  if ((env.PULUMI_CONFIG_PASSPHRASE ?? "") !== "" || (env.PULUMI_CONFIG_PASSPHRASE_FILE ?? "") !== "") return;
  throw new KilnError("usage", "there is no passphrase to keep the stacks' secrets by", {
    mend: "Set PULUMI_CONFIG_PASSPHRASE_FILE to a file that holds it, or PULUMI_CONFIG_PASSPHRASE.",
  });
}

async function requirePrograms(programs: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  for (const program of programs) {
    if ((await findExecutable(program, env)) !== undefined) continue;
    const source = SOURCES[program];
    throw new KilnError("unreachable", `${program} is not on PATH`, {
      mend: source === undefined ? `Install ${program}.` : `Install it (${source}), log in, and run the command again.`,
    });
  }
}

type Variables = Map<string, string>;

async function settle(step: Step, variables: Variables, options: SetupOptions): Promise<StepOutcome["outcome"]> {
  if (step.check && (await passes(step.check, variables, options))) return "was there";
  if (step.byHand !== undefined) throw new KilnError("failed", `not so: ${step.title}`, { mend: step.byHand });
  for (const [index, command] of step.run.entries()) {
    await call(command, variables, options, false).catch((error: unknown) => {
      const made = step.run.slice(0, index).some(({ sets }) => sets !== undefined);
      throw made ? halfDone(error, step, index, variables) : error;
    });
  }
  return "done";
}

/** An error after a command that made something without a name of its own: only its id, known here, leads to it. */
function halfDone(error: unknown, step: Step, index: number, variables: Variables): KilnError {
  const rest = step.run.slice(index).map(({ argv }) => `\`${words(resolved(argv, variables))}\``);
  const kind = error instanceof KilnError ? error.kind : "failed";
  return new KilnError(kind, `${step.title} is half done: ${messageOf(error)}`, {
    mend: `Run ${rest.join(" and ")} by hand, then this command again: otherwise it would make another one.`,
    cause: error,
  });
}

/** Whether a check finds its thing. Throws where the command fails without saying that the thing is not there. */
async function passes(check: Check, variables: Variables, options: SetupOptions): Promise<boolean> {
  const result = await call(check, variables, options, true);
  if (result.code === 0) return check.prints !== true || result.stdout.trim() !== "";
  if (saysAbsent(check, result)) return false;
  const said = lastLines(result.stderr.trim() === "" ? result.stdout : result.stderr, 12);
  const called = words(check.argv.slice(0, 4));
  throw new KilnError(
    "unreachable",
    `\`${called} …\` does not say whether it is there (exit ${result.code}):\n${said}`,
    {
      mend: "Log in again, or get the right that it names; then run the same command: nothing of this step was changed.",
    },
  );
}

async function call(
  command: Command,
  variables: Variables,
  { project, env }: SetupOptions,
  allowFailure: boolean,
): Promise<RunResult> {
  const [program, ...args] = resolved(command.argv, variables);
  const result = await withInput(command.input, (input) =>
    run(program, args, { ...input, cwd: project, env, allowFailure }),
  );
  if (command.sets !== undefined && result.code === 0) variables.set(command.sets, result.stdout.trim());
  return result;
}

/** Hands a document over as a file on standard input: /dev/stdin cannot be opened where that is a socket, as Node's pipes are. */
async function withInput<T>(text: string | undefined, use: (input: { inputFile?: string }) => Promise<T>): Promise<T> {
  if (text === undefined) return use({});
  const directory = await mkdtemp(path.join(tmpdir(), "kiln-backend-"));
  try {
    const inputFile = path.join(directory, "input");
    await writeFile(inputFile, text);
    return await use({ inputFile });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
