import { readFile, rm } from "node:fs/promises";
import { KilnError } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { stillRuns, thisOwner, withLock, type LockOwner } from "../toolchain/lock.ts";
import { writeFirst, writeWhole } from "./whole-file.ts";

/** Who is at something, and in which container: enough to prove later that nobody is any more. */
export interface RunRecord extends LockOwner {
  readonly run_id: string;
  readonly container: string;
  /** Of the container: what its label says. */
  readonly instance: string;
  /** DOCKER_HOST of the container's engine; empty for the client's default, which may be another engine later. */
  readonly engine: string;
  /** What that engine calls itself. */
  readonly engine_id: string;
  readonly since: string;
  /** Why the run's container was left as it is, for the next run to settle: its holder is done, though its process may live. */
  readonly left?: string;
}

export interface RunLock {
  /** Gives it up. */
  release(): Promise<void>;
  /** Keeps it for the next run, which settles what is left before it takes it over. */
  leave(why: string): Promise<void>;
}

export interface RunLockOptions {
  readonly file: string;
  /** Such as `the stack prod`. */
  readonly what: string;
  readonly run: Pick<RunRecord, "run_id" | "container" | "instance" | "engine" | "engine_id">;
  readonly progress: Progress;
  /**
   * Settles what a process that is gone left behind: when it returns, the container of the record runs no more. What it
   * throws keeps the lock. A record that was `left` is settled though its process may live.
   */
  readonly settle: (record: RunRecord) => Promise<void>;
}

/**
 * Takes a lock that lasts for a run, or refuses with who holds it. That of a process of this machine that is gone, or that
 * left it, is taken over once `settle` is done with its container. Of a holder elsewhere nothing can be proved: it is refused.
 */
export async function takeRunLock(options: RunLockOptions): Promise<RunLock> {
  const { file, what, progress, settle } = options;
  const mine: RunRecord = { ...options.run, ...thisOwner(), since: new Date().toISOString() };
  await withLock(`${file}.guard`, progress, `the lock of ${what}`, async () => {
    const held = await readRecord(file);
    if (held !== undefined) {
      refuseLiving(held, what, file);
      const why =
        held.left === undefined ? `was broken off (process ${held.pid} is gone)` : `was left as it is (${held.left})`;
      progress.note(`${what}: run ${held.run_id} ${why}; looking after its container`);
      await settle(held);
      await rm(file, { force: true });
    }
    if (!(await writeFirst(file, `${JSON.stringify(mine, null, 2)}\n`))) throw refusal(what, "another process", file);
  });
  const isMine = async () => (await readRecord(file))?.instance === mine.instance;
  return {
    async release() {
      if (await isMine()) await rm(file, { force: true });
    },
    async leave(why) {
      if (await isMine()) await writeWhole(file, `${JSON.stringify({ ...mine, left: why }, null, 2)}\n`);
    },
  };
}

function refuseLiving(held: RunRecord, what: string, file: string): void {
  const here = thisOwner();
  const holder = `run ${held.run_id} (process ${held.pid} on ${held.host}, container ${held.container}, since ${held.since})`;
  if (held.space !== here.space || held.host !== here.host)
    throw refusal(what, `${holder}, which is not on this machine`, file);
  if (held.left === undefined && stillRuns(held)) throw refusal(what, holder, file);
}

function refusal(what: string, holder: string, file: string): KilnError {
  return new KilnError("failed", `${what} is locked by ${holder}`, {
    mend: `Wait for it to end. A run that is broken off is cleared on its own machine by the next one; once its process and container are certainly gone, remove ${file}.`,
  });
}

async function readRecord(file: string): Promise<RunRecord | undefined> {
  let record: Partial<RunRecord>;
  try {
    record = JSON.parse(await readFile(file, "utf8")) as RunRecord;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new KilnError("failed", `${file} is no lock that kiln wrote`, { cause: error });
  }
  // Without either nothing could be proved of the container: it would count as gone.
  if (isText(record.instance) && isText(record.engine_id)) return record as RunRecord;
  throw new KilnError("failed", `${file} is no lock that this kiln wrote: it does not say which container and engine`, {
    mend: `Once the run of ${record.container ?? "its container"} is certainly over, remove ${file}.`,
  });
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}
