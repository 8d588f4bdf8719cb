import { readFile, rm } from "node:fs/promises";
import { KilnError } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { stillRuns, thisOwner, withLock, type LockOwner } from "../toolchain/lock.ts";
import { writeFirst } from "./whole-file.ts";

/** Who is at something, and in which container: enough to prove later that nobody is any more. */
export interface RunRecord extends LockOwner {
  readonly run_id: string;
  readonly container: string;
  /** DOCKER_HOST of the container's engine; empty for the client's default. */
  readonly engine: string;
  readonly since: string;
}

export interface RunLockOptions {
  readonly file: string;
  /** Such as `the stack prod`. */
  readonly what: string;
  readonly runId: string;
  readonly container: string;
  readonly engine: string;
  readonly progress: Progress;
  /**
   * Settles what a process that is gone left behind: when it returns, the container of the record runs no more. What it
   * throws keeps the lock.
   */
  readonly settle: (record: RunRecord) => Promise<void>;
}

/**
 * Takes a lock that lasts for a run, or refuses with who holds it. That of a process of this machine that is gone is taken
 * over once `settle` is done with its container. Of a holder elsewhere nothing can be proved: it is refused.
 */
export async function takeRunLock(options: RunLockOptions): Promise<{ release(): Promise<void> }> {
  const { file, what, progress, settle } = options;
  const mine: RunRecord = {
    run_id: options.runId,
    ...thisOwner(),
    container: options.container,
    engine: options.engine,
    since: new Date().toISOString(),
  };
  await withLock(`${file}.guard`, progress, `the lock of ${what}`, async () => {
    const held = await readRecord(file);
    if (held !== undefined) {
      refuseLiving(held, what, file);
      progress.note(
        `${what}: run ${held.run_id} was broken off (process ${held.pid} is gone); looking after its container`,
      );
      await settle(held);
      await rm(file, { force: true });
    }
    if (!(await writeFirst(file, `${JSON.stringify(mine, null, 2)}\n`))) throw refusal(what, "another process", file);
  });
  return {
    async release() {
      if ((await readRecord(file))?.run_id === mine.run_id) await rm(file, { force: true });
    },
  };
}

function refuseLiving(held: RunRecord, what: string, file: string): void {
  const here = thisOwner();
  const holder = `run ${held.run_id} (process ${held.pid} on ${held.host}, container ${held.container}, since ${held.since})`;
  if (held.space !== here.space || held.host !== here.host)
    throw refusal(what, `${holder}, which is not on this machine`, file);
  if (stillRuns(held)) throw refusal(what, holder, file);
}

function refusal(what: string, holder: string, file: string): KilnError {
  return new KilnError("failed", `${what} is locked by ${holder}`, {
    mend: `Wait for it to end. A run that is broken off is cleared on its own machine by the next one; once its process and container are certainly gone, remove ${file}.`,
  });
}

async function readRecord(file: string): Promise<RunRecord | undefined> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as RunRecord;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new KilnError("failed", `${file} is no lock that kiln wrote`, { cause: error });
  }
}
