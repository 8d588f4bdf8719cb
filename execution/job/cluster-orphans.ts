import { createReadStream } from "node:fs";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import type { V1Job } from "@kubernetes/client-node";
import { messageOf } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import { withLock } from "../../toolchain/lock.ts";
import { Redactor } from "../redactor.ts";
import type { ClusterJobs } from "./cluster-jobs.ts";
import { clusterResult, mostBytes } from "./cluster-result.ts";
import { findLost, JobHistory, readJob, type RecordedJob } from "./history.ts";
import { JobOutput } from "./job-output.ts";
import { JOB_LABELS, OWNER_ANNOTATION } from "./manifest.ts";
import { isGone } from "./orphans.ts";
import { PodWatch } from "./pod-watch.ts";

export interface ClusterPlace {
  readonly cluster: ClusterJobs;
  readonly namespace: string;
  /** The folder of all jobs' folders. */
  readonly history: string;
  readonly progress: Progress;
}

const NOTE = "whoever ran it was killed: a later run ended its Job";
/** Beside what the killed run had: no name of a job's own. */
const AGAIN = ".again";
const TAKEN = ["events.ndjson", "stdout.log", "stderr.log", "incoming", "artifacts"];

/**
 * Ends what a killed kiln of this machine left in a namespace: its Jobs, with policy, Secret and pod, whose output goes to
 * the jobs' folders. Only what carries the mark of a process that is certainly gone is touched. Returns the names of the Jobs.
 */
export async function settleClusterOrphans(place: ClusterPlace): Promise<readonly string[]> {
  const { history, progress } = place;
  try {
    if ((await orphans(place)).length === 0) return [];
    await mkdir(history, { recursive: true, mode: 0o700 });
    // Two at it at once would write the same folders.
    return await withLock(path.join(history, ".settling.lock"), progress, "Jobs of killed runs", () =>
      settleAll(place),
    );
  } catch (error) {
    progress.note(`whether killed runs left Jobs cannot be seen: ${messageOf(error)}`);
    return [];
  }
}

async function settleAll(place: ClusterPlace): Promise<readonly string[]> {
  const settled: string[] = [];
  for (const job of await orphans(place)) {
    const name = job.metadata?.name ?? "";
    try {
      const recorded = await findLost(place.history, name);
      if (recorded === undefined && hasEnded(job)) continue;
      place.progress.note(`the Job ${name} was left by a run that was killed: ending it`);
      await (recorded === undefined ? end(place, name) : take(place, job, recorded));
      settled.push(name);
    } catch (error) {
      place.progress.note(`the Job ${name} is left as it is: ${messageOf(error)}`);
    }
  }
  return settled;
}

/** One of another history: its log is there for its owner as long as the Job, its secrets are not. */
async function end({ cluster, namespace }: ClusterPlace, name: string): Promise<void> {
  await cluster.end(name, namespace);
  await cluster.remove("Secret", name, namespace);
}

function hasEnded({ status }: V1Job): boolean {
  const isEnd = (type: string) => type === "Complete" || type === "Failed";
  return status?.conditions?.some(({ type, status: is }) => isEnd(type) && is === "True") === true;
}

async function orphans({ cluster, namespace }: ClusterPlace): Promise<readonly V1Job[]> {
  const jobs = await cluster.jobs(JOB_LABELS, namespace);
  return jobs.filter(({ metadata }) => {
    const isGoing = metadata?.deletionTimestamp !== undefined;
    return !isGoing && isGone(metadata?.annotations?.[OWNER_ANNOTATION] ?? "");
  });
}

/**
 * The log is read from its first line: what the killed run had of it is in there too, unless the pod was evicted or its node
 * is gone. So it comes into a folder of its own, which takes the place of the other where it has the result, or more lines.
 */
async function take(place: ClusterPlace, job: V1Job, recorded: RecordedJob): Promise<void> {
  const { cluster, namespace, progress } = place;
  const { folder, description } = recorded;
  const again = path.join(folder, AGAIN);
  await rm(again, { recursive: true, force: true });
  await mkdir(again, { mode: 0o700 });
  // Its secrets are nobody's any more here: the entrypoint has taken them out of what it prints.
  const redactor = new Redactor([]);
  const output = new JobOutput({
    folder: again,
    redactor,
    mostBytes: mostBytes(description),
    onEvent: () => undefined,
  });
  const watch = new PodWatch(cluster, { description, namespace, uid: job.metadata?.uid ?? "", output, progress });
  // Also where it throws: nothing of the folder stays open.
  const state = await watch.untilEnd(AbortSignal.abort()).finally(() => output.close());
  const { problem, isLogWhole } = watch;
  const result = clusterResult(description, output, { state, cause: undefined, problem, isLogWhole });
  const name = job.metadata?.name ?? "";
  const [before, now] = [await linesOf(folder), await linesOf(again)];
  const isMore = output.result !== undefined || now > before;
  // One that never started has nothing to be lost.
  const isAll = (isMore && isLogWhole) || (state.startedAt === "" && before + now === 0);
  const meanwhile = await readJob(folder);
  if (meanwhile.result === undefined) {
    if (isMore) await replace(folder, again);
    const said = [
      `${NOTE} and ${isMore ? "took its output" : "found no more in its log than was here"}`,
      ...(isAll ? [] : [`the Job ${name} stays in the cluster until its time there is over`]),
    ];
    await new JobHistory(folder).end({ ...result, notes: [...(result.notes ?? []), ...said] });
  }
  await rm(again, { recursive: true, force: true });
  // What is left of it may be read yet by who has the cluster, its secrets by nobody.
  await cluster.remove(isAll ? "Job" : "Secret", name, namespace);
}

/** How many events a folder has. */
async function linesOf(folder: string): Promise<number> {
  let lines = 0;
  try {
    for await (const chunk of createReadStream(path.join(folder, "events.ndjson"))) {
      for (const byte of chunk as Buffer) if (byte === 0x0a) lines += 1;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  return lines;
}

async function replace(folder: string, by: string): Promise<void> {
  for (const name of TAKEN) {
    await rm(path.join(folder, name), { recursive: true, force: true });
    if ((await stat(path.join(by, name)).catch(() => undefined)) === undefined) continue;
    await rename(path.join(by, name), path.join(folder, name));
  }
}
