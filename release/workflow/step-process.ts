import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { KilnError } from "../../errors.ts";
import { markOf } from "../../toolchain/lock.ts";

export interface StepProcess {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Ends the whole process group. */
  readonly signal: AbortSignal;
  /** Is told the process group, which is the process that leads it, before that can end. */
  readonly started: (group: number) => void;
  /** Both outputs, in the order in which they come. */
  readonly write: (stream: "stdout" | "stderr", piece: string) => void;
}

const GRACE_MS = 5_000;
/** What a step leaves in the background may hold its outputs open; GitHub's runner waits no longer than this either. */
const OPEN_OUTPUT_MS = 5_000;
const POLL_MS = 50;

/**
 * Runs one step in a process group of its own and gives its exit code once it has ended, and the group: what it left in the
 * background lives on in there for the steps after it. A signal ends the group with SIGTERM, five seconds later with SIGKILL.
 */
export async function runStepProcess(
  step: StepProcess,
): Promise<{ readonly code: number; readonly group: number | undefined }> {
  const child = spawn(step.command, step.args, {
    cwd: step.cwd,
    env: step.env,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  if (child.pid !== undefined) step.started(child.pid);
  let ending: Promise<void> | undefined;
  const end = () => {
    ending = endGroup(child.pid);
  };
  if (step.signal.aborted) end();
  step.signal.addEventListener("abort", end, { once: true });
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (piece: string) => {
      step.write(name, piece);
    });
  }
  const closed = new Promise<void>((resolve) => child.once("close", resolve));
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.once("error", (cause) => {
        reject(new KilnError("unreachable", `cannot run ${step.command}: ${cause.message}`, { cause }));
      });
      child.once("exit", (exitCode, exitSignal) => {
        resolve(exitCode ?? (exitSignal === "SIGKILL" ? 137 : 143));
      });
    });
    await ending;
    await Promise.race([closed, sleep(OPEN_OUTPUT_MS, undefined, { ref: false })]);
    return { code, group: child.pid };
  } finally {
    step.signal.removeEventListener("abort", end);
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

/** Ends every process of a group, and waits for that. A daemon that left the group, such as a registry, lives on. */
export async function endGroup(group: number | undefined): Promise<void> {
  if (group === undefined) return;
  for (const name of ["SIGTERM", "SIGKILL"] as const) {
    if (!signalGroup(group, name)) return;
    for (let waited = 0; waited < GRACE_MS; waited += POLL_MS) {
      if (!lives(group)) return;
      await sleep(POLL_MS);
    }
  }
}

/** Whether a process of the group runs. One that has ended stays in it until process 1 looks, which may take seconds. */
function lives(group: number): boolean {
  if (!signalGroup(group, 0)) return false;
  if (process.platform !== "linux") return true;
  return readdirSync("/proc").some((name) => {
    const pid = Number(name);
    return pid > 0 && groupOf(pid) === group && markOf(pid) !== undefined;
  });
}

/** The process group of a process, from /proc. */
function groupOf(pid: number): number | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /s, "");
    return Number(fields.split(" ")[2]);
  } catch {
    return undefined;
  }
}

/** Whether the group has a process that took the signal. */
function signalGroup(group: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, name);
  } catch {
    return false;
  }
}
