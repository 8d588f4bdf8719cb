import { randomUUID } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { link, mkdir, open, readFile, rm, stat, type FileHandle } from "node:fs/promises";
import { hostname } from "node:os";
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

/** Who holds a lock. Its process id means something among the processes of the same `space` alone. */
export interface LockOwner extends ProcessMark {
  readonly host: string;
  /** Kernel start and process id namespace: two containers that share a volume differ in it. */
  readonly space: string;
}

/** This process as the owner of a lock. */
export function thisOwner(): LockOwner {
  const { pid } = process;
  const space = `${textOf(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8"))} ${textOf(() => readlinkSync("/proc/self/ns/pid"))}`;
  return { ...(markOf(pid) ?? { pid, started: "" }), host: hostname(), space };
}

const POLL_MS = 200;
const TAKEOVER_MS = 10_000;
/** How often a holder touches its lock, and how long one that cannot be looked at counts as living after that. */
const TOUCH_MS = 20_000;
const LIVING_MS = 120_000;

/**
 * Runs `work` while holding the lock file, which names its owner. Waits while a living process holds it, after saying
 * so once; takes it over from a dead one. An owner in another container or on another host lives while it touches it.
 */
export async function withLock<T>(file: string, progress: Progress, what: string, work: () => Promise<T>): Promise<T> {
  let said = false;
  let held: FileHandle | undefined;
  while ((held = await acquire(file)) === undefined) {
    throwIfInterrupted();
    const owner = await ownerOf(file);
    if (owner === "gone") continue;
    if (owner === "dead") {
      await takeOver(file);
      continue;
    }
    const where = isNear(owner) ? "" : ` of another container or host (${owner.host})`;
    if (!said) progress.note(`waiting for ${what}: process ${owner.pid}${where} is at it`);
    said = true;
    await sleep(POLL_MS);
  }
  const lock = held;
  // Through the open file: a lock that someone took over meanwhile is theirs to touch.
  const touching = setInterval(() => {
    lock.utimes(new Date(), new Date()).catch(() => undefined);
  }, TOUCH_MS).unref();
  try {
    return await work();
  } finally {
    clearInterval(touching);
    await release(file, lock);
  }
}

/**
 * Writes the owner beside the lock and links it into place: the lock is never seen half-written. Returns it open. Makes the folder
 * each time: somebody may remove it under the hands of one who waits.
 */
async function acquire(file: string): Promise<FileHandle | undefined> {
  await mkdir(path.dirname(file), { recursive: true });
  const mine = `${file}.${process.pid}.${randomUUID()}`;
  const lock = await open(mine, "wx").catch(unlessGone);
  if (lock === undefined) return undefined;
  try {
    await lock.writeFile(JSON.stringify(thisOwner()));
    await link(mine, file);
    return lock;
  } catch (error) {
    await lock.close();
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") unlessGone(error);
    return undefined;
  } finally {
    await rm(mine, { force: true });
  }
}

/** Nothing where the folder went away meanwhile: the next attempt makes it again. */
function unlessGone(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  return undefined;
}

/** Removes the lock where it is still the file that was made here: a holder that stood still may have lost it. */
async function release(file: string, lock: FileHandle): Promise<void> {
  try {
    const mine = await lock.stat({ bigint: true });
    const there = await stat(file, { bigint: true }).catch(() => undefined);
    if (there?.ino === mine.ino && there.dev === mine.dev) await rm(file, { force: true });
  } finally {
    await lock.close();
  }
}

/** Who holds a lock: a process that lives, one that does not (or nobody can tell from the file), or nobody. */
export async function ownerOf(file: string): Promise<LockOwner | "dead" | "gone"> {
  try {
    const { mtimeMs } = await stat(file);
    const owner = JSON.parse(await readFile(file, "utf8")) as LockOwner;
    const lives = isNear(owner) ? stillRuns(owner) : Date.now() - mtimeMs < LIVING_MS;
    return lives ? owner : "dead";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? "gone" : "dead";
  }
}

/** Whether the owner's process id can be looked up here. */
function isNear(owner: LockOwner): boolean {
  const here = thisOwner();
  return owner.space === here.space && owner.host === here.host;
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

/** What a file or link of /proc says; empty where there is none. */
function textOf(read: () => string): string {
  try {
    return read().trim();
  } catch {
    return "";
  }
}
