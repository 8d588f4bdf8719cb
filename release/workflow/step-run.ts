import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../../errors.ts";
import { parseCommandFile, checkVariables } from "./command-file.ts";
import { interpolate, interpolated, type Scope } from "./expression.ts";
import type { RunDefaults } from "./job.ts";
import type { JobPlaces } from "./run-places.ts";
import { forgetProcess, noteProcess } from "./left-process.ts";
import type { Session } from "./session.ts";
import type { ActionEnd } from "./stand-in.ts";
import { standInFor } from "./stand-ins.ts";
import type { StepLog } from "./step-log.ts";
import { runStepProcess } from "./step-process.ts";
import type { ActionStep, RunStep } from "./step.ts";

/** What a step of a job is run with. */
export interface StepSetting {
  readonly session: Session;
  readonly job: JobPlaces & { readonly key: string };
  readonly scope: Scope;
  readonly env: Readonly<Record<string, string>>;
  readonly defaults: RunDefaults;
  readonly log: StepLog;
  readonly signal: AbortSignal;
}

/** What a step leaves to those after it. */
export interface StepEnd extends ActionEnd {
  readonly env: Readonly<Record<string, string>>;
  /** Folders for PATH, the latest first. */
  readonly path: readonly string[];
  readonly summary: string;
  readonly group?: number;
  /** Set where the step failed. */
  readonly failure?: string;
}

const NOTHING = { outputs: {}, env: {}, path: [], summary: "" } as const;

/** Runs a step's action by its stand-in. */
export async function runAction(step: ActionStep, setting: StepSetting): Promise<StepEnd> {
  const { session, scope, log } = setting;
  const standIn = standInFor(step);
  log.line(`${step.action}: ${standIn.here}`);
  const end = await standIn.run({
    with: interpolated(step.with, scope),
    job: setting.job,
    run: {
      ...session.folders,
      project: session.places.project,
      commit: session.commit,
      repository: session.repository,
    },
    artifacts: session.artifacts,
    env: session.env,
    signal: setting.signal,
    say: (line) => {
      log.line(line);
    },
  });
  return { ...NOTHING, ...end };
}

/** Runs a step's script. A non-zero exit code is a `failure` of the end, beside what the step left. */
export async function runScript(step: RunStep, setting: StepSetting): Promise<StepEnd> {
  const { job, scope, log } = setting;
  const cwd = await workingDirectory(step, setting);
  const folder = path.join(job.temp, "_commands");
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const files = Object.fromEntries(
    (["OUTPUT", "ENV", "PATH", "STEP_SUMMARY"] as const).map((name) => [`GITHUB_${name}`, path.join(folder, name)]),
  );
  await Promise.all(Object.values(files).map((file) => writeFile(file, "")));
  const script = path.join(folder, "script.sh");
  // As on GitHub, values of expressions become part of the script: workflows are checked for what may stand there.
  await writeFile(script, interpolate(step.run, scope), { mode: 0o600 });
  const [command = "bash", ...args] = shellCommand(step.shell ?? setting.defaults.shell);
  const { code, group } = await runStepProcess({
    command,
    args: [...args, script],
    cwd,
    env: { ...setting.env, ...files },
    signal: setting.signal,
    started: (pid) => {
      noteProcess(job.root, pid);
    },
    write: (stream, piece) => {
      log.write(stream, piece);
    },
  });
  await Promise.all([rm(script), forgetProcess(job.root)]);
  const read = async (name: string) => readFile(files[`GITHUB_${name}`] ?? "", "utf8");
  const left = { ...NOTHING, ...(group !== undefined && { group }) };
  if (code !== 0) return { ...left, failure: `exited with ${code}` };
  const env = parseCommandFile(await read("ENV"), "GITHUB_ENV");
  checkVariables(Object.keys(env));
  return {
    ...left,
    env,
    outputs: parseCommandFile(await read("OUTPUT"), "GITHUB_OUTPUT"),
    path: (await read("PATH"))
      .split("\n")
      .filter((line) => line !== "")
      .reverse(),
    summary: await read("STEP_SUMMARY"),
  };
}

/** GitHub's commands: without a `shell`, a pipe's first part may fail unseen; with `bash` it may not. */
function shellCommand(shell: string | undefined): readonly string[] {
  if (shell === undefined) return ["bash", "-e"];
  return shell === "sh" ? ["sh", "-e"] : ["bash", "--noprofile", "--norc", "-eo", "pipefail"];
}

async function workingDirectory(step: RunStep, { job, scope, defaults }: StepSetting): Promise<string> {
  const below = interpolate(step.workingDirectory ?? defaults.workingDirectory ?? ".", scope);
  const cwd = path.resolve(job.workspace, below);
  if ((await stat(cwd).catch(() => undefined))?.isDirectory() === true) return cwd;
  throw new KilnError("failed", `there is no folder ${below} in the workspace`, {
    mend: "Mend working-directory, or check out before it.",
  });
}
