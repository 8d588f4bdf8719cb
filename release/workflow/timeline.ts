import type { Result } from "./jobs.ts";

/** Bytes between a job and the registry, as the registry counts them. */
export interface Bytes {
  /** What the job got. */
  readonly read: number;
  /** What the job sent and the registry did not have. */
  readonly written: number;
}

/** A job of a run. Times are in milliseconds since 1970, and absent for what never began. */
export interface TimelineJob {
  readonly key: string;
  readonly title: string;
  readonly result: Result;
  readonly after: readonly string[];
  readonly startedAt?: number;
  readonly endedAt?: number;
  /** Done by a run before this one: it took no time of this. */
  readonly recalled: boolean;
  readonly bytes?: Bytes;
}

export interface TimelineRow {
  readonly title: string;
  readonly result: Result;
  readonly recalled: boolean;
  /** Seconds after the beginning of the run. */
  readonly start?: number;
  readonly seconds?: number;
  readonly bytes?: Bytes;
  /** WIDTH signs over the whole run. */
  readonly bar: string;
}

export interface Timeline {
  /** What was done before, what ran in the order in which it began, what never ran. */
  readonly rows: readonly TimelineRow[];
  /** The jobs that each waited for the one before, of which the last ended the run. */
  readonly criticalPath: readonly { readonly title: string; readonly seconds: number }[];
  readonly seconds: number;
  /** Seconds of the total in which no job of the critical path ran: it waited for room, or for its lane. */
  readonly waited: number;
}

/** Columns of a bar. */
const WIDTH = 40;

/** How the jobs of a run lay in time. Pure. */
export function timelineOf(jobs: readonly TimelineJob[]): Timeline {
  const ran = jobs.filter(hasRun).sort((a, b) => a.startedAt - b.startedAt);
  const begin = ran[0]?.startedAt ?? 0;
  const end = ran.reduce((latest, { endedAt }) => Math.max(latest, endedAt), begin);
  const path = criticalPathOf(ran);
  const seconds = (end - begin) / 1000;
  const busy = path.reduce((sum, job) => sum + job.seconds, 0);
  return {
    rows: [
      ...jobs.filter(({ recalled }) => recalled).map(emptyRow),
      ...ran.map((job) => rowOf(job, begin, end)),
      ...jobs.filter((job) => !job.recalled && !hasRun(job)).map(emptyRow),
    ],
    criticalPath: path,
    seconds,
    waited: Math.max(0, seconds - busy),
  };
}

type RanJob = TimelineJob & { readonly startedAt: number; readonly endedAt: number };

function hasRun(job: TimelineJob): job is RanJob {
  return !job.recalled && job.startedAt !== undefined && job.endedAt !== undefined;
}

function rowOf(
  { title, result, recalled, bytes, startedAt, endedAt }: RanJob,
  begin: number,
  end: number,
): TimelineRow {
  const column = (at: number) => Math.round(((at - begin) / Math.max(end - begin, 1)) * WIDTH);
  const from = Math.min(column(startedAt), WIDTH - 1);
  // However short, a job shows.
  const to = Math.max(column(endedAt), from + 1);
  return {
    ...{ title, result, recalled },
    ...(bytes && { bytes }),
    start: (startedAt - begin) / 1000,
    seconds: (endedAt - startedAt) / 1000,
    bar: `${"·".repeat(from)}${"█".repeat(to - from)}${"·".repeat(WIDTH - to)}`,
  };
}

function emptyRow({ title, result, recalled, startedAt, endedAt }: TimelineJob): TimelineRow {
  const known = startedAt !== undefined && endedAt !== undefined;
  return { title, result, recalled, ...(known && { seconds: (endedAt - startedAt) / 1000 }), bar: "" };
}

/** From the job that ended last back to one that waited for none: each time to what ended last of what it waited for. */
function criticalPathOf(ran: readonly RanJob[]): Timeline["criticalPath"] {
  const byKey = new Map(ran.map((job) => [job.key, job]));
  const path: RanJob[] = [];
  for (let job = latest(ran); job !== undefined;) {
    path.unshift(job);
    job = latest(job.after.flatMap((key) => byKey.get(key) ?? []));
  }
  return path.map(({ title, startedAt, endedAt }) => ({ title, seconds: (endedAt - startedAt) / 1000 }));
}

function latest(jobs: readonly RanJob[]): RanJob | undefined {
  return jobs.reduce<RanJob | undefined>(
    (last, job) => (last === undefined || job.endedAt > last.endedAt ? job : last),
    undefined,
  );
}
