import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { KilnError } from "../errors.ts";
import { markOf, stillRuns, type ProcessMark } from "./lock.ts";
import { lastLines, throwIfInterrupted } from "./process.ts";

/** A background process that kiln starts and ends. Its files: who it is (process id and start time), and its log. */
export interface Daemon {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly pidFile: string;
  readonly logFile: string;
}

const START_MS = 60_000;
const STOP_MS = 30_000;
const POLL_MS = 100;

/** The process that a pid file names, while exactly that process still runs. */
export async function runningDaemon(pidFile: string): Promise<ProcessMark | undefined> {
  try {
    const mark = JSON.parse(await readFile(pidFile, "utf8")) as ProcessMark;
    return stillRuns(mark) ? mark : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Starts a daemon in a session of its own and waits until `ready` says so. Throws a KilnError with the last lines of
 * its log when it ends before that or takes longer than a minute; it is then stopped.
 */
export async function startDaemon(daemon: Daemon, ready: () => Promise<boolean>): Promise<void> {
  await mkdir(path.dirname(daemon.pidFile), { recursive: true });
  await mkdir(path.dirname(daemon.logFile), { recursive: true });
  const log = openSync(daemon.logFile, "w");
  const child = spawn(daemon.command, daemon.args, { detached: true, env: daemon.env, stdio: ["ignore", log, log] });
  closeSync(log);
  const failure = new Promise<string>((resolve) => {
    child.once("error", (error) => {
      resolve(error.message);
    });
  });
  const mark = child.pid === undefined ? undefined : markOf(child.pid);
  if (mark === undefined) throw await startError(daemon, child.pid === undefined ? await failure : "it ended at once");
  child.unref();
  await writeFile(`${daemon.pidFile}.new`, JSON.stringify(mark));
  await rename(`${daemon.pidFile}.new`, daemon.pidFile);

  const deadline = Date.now() + START_MS;
  try {
    while (!(await ready())) {
      throwIfInterrupted();
      if (!stillRuns(mark)) throw await startError(daemon, "it ended");
      if (Date.now() > deadline) throw await startError(daemon, `not ready after ${START_MS / 1000} s`);
      await sleep(POLL_MS);
    }
  } catch (error) {
    await stopDaemon(daemon.pidFile);
    throw error;
  }
}

/** Ends the daemon of a pid file and waits for its end; returns whether there was one. Never touches another process. */
export async function stopDaemon(pidFile: string): Promise<boolean> {
  const mark = await runningDaemon(pidFile);
  if (mark !== undefined) await endProcess(mark);
  await rm(pidFile, { force: true });
  return mark !== undefined;
}

/** Ends one process by SIGTERM, by SIGKILL after half a minute, and waits until it is gone. */
export async function endProcess(mark: ProcessMark, first: NodeJS.Signals = "SIGTERM"): Promise<void> {
  signal(mark, first);
  if (await gone(mark, STOP_MS)) return;
  signal(mark, "SIGKILL");
  if (await gone(mark, STOP_MS)) return;
  throw new KilnError("failed", `process ${mark.pid} does not end`, { mend: `look at it: ps -fp ${mark.pid}` });
}

function signal(mark: ProcessMark, name: NodeJS.Signals): void {
  if (!stillRuns(mark)) return;
  try {
    process.kill(mark.pid, name);
  } catch {
    // It ended between the two lines.
  }
}

async function gone(mark: ProcessMark, milliseconds: number): Promise<boolean> {
  const deadline = Date.now() + milliseconds;
  while (stillRuns(mark)) {
    if (Date.now() > deadline) return false;
    await sleep(POLL_MS);
  }
  return true;
}

async function startError(daemon: Daemon, what: string): Promise<KilnError> {
  const said = lastLines(await readFile(daemon.logFile, "utf8").catch(() => ""), 12);
  return new KilnError("unreachable", `${daemon.name} did not start: ${what}\n${said}`, {
    mend: `read ${daemon.logFile}, mend what it names, run the command again`,
  });
}
