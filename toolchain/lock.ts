import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { link, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Progress } from "../progress.ts";
import { throwIfInterrupted } from "./process.ts";

/** A process that can be told from a later one with the same id. */
export interface ProcessMark {
  readonly pid: number;
  /** Clock ticks between boot and its start, from /proc; empty where there is no /proc. */
  readonly started: string;
}

/** The mark of a process, or undefined where no such process runs (a zombie does not run). */
export function markOf(pid: number): ProcessMark | undefined {
  try {
    // Fields after the command name, which stands in parentheses and may hold blanks itself: state is the first.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? undefined : { pid, started: fields[19] ?? "" };
  } catch {
    return process.platform !== "linux" && answersSignal(pid) ? { pid, started: "" } : undefined;
  }
}

/** Whether exactly this process still runs. */
export function stillRuns(mark: ProcessMark): boolean {
  return markOf(mark.pid)?.started === mark.started;
}

const POLL_MS = 200;
const TAKEOVER_MS = 10_000;

/**
 * Runs `work` while holding the lock file, which names its owner. Waits while a living process holds it, after saying
 * so once; takes it over from a dead one.
 */
export async function withLock<T>(file: string, progress: Progress, what: string, work: () => Promise<T>): Promise<T> {
  await mkdir(path.dirname(file), { recursive: true });
  let said = false;
  while (!(await acquire(file))) {
    throwIfInterrupted();
    const owner = await ownerOf(file);
    if (owner === "gone") continue;
    if (owner === "dead") {
      await takeOver(file);
      continue;
    }
    if (!said) progress.note(`waiting for ${what}: process ${owner.pid} is at it`);
    said = true;
    await sleep(POLL_MS);
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

/** Writes the owner beside the lock and links it into place: the lock is never seen half-written. */
async function acquire(file: string): Promise<boolean> {
  const mine = `${file}.${process.pid}.${randomUUID()}`;
  await writeFile(mine, JSON.stringify(markOf(process.pid)));
  try {
    await link(mine, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(mine, { force: true });
  }
}

async function ownerOf(file: string): Promise<ProcessMark | "dead" | "gone"> {
  try {
    const owner = JSON.parse(await readFile(file, "utf8")) as ProcessMark;
    return stillRuns(owner) ? owner : "dead";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? "gone" : "dead";
  }
}

/** Removes a dead owner's lock under a second lock, so that two waiting ones cannot remove each other's new lock. */
async function takeOver(file: string): Promise<void> {
  const guard = `${file}.takeover`;
  try {
    await mkdir(guard);
  } catch {
    const age = await stat(guard).then(
      (found) => Date.now() - found.mtimeMs,
      () => 0,
    );
    if (age > TAKEOVER_MS) await rm(guard, { recursive: true, force: true });
    await sleep(POLL_MS);
    return;
  }
  try {
    if ((await ownerOf(file)) === "dead") await rm(file, { force: true });
  } finally {
    await rm(guard, { recursive: true, force: true });
  }
}

function answersSignal(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
