import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import type { CoreV1Event, V1Job, V1Pod } from "@kubernetes/client-node";
import { describe, expect, it } from "vitest";
import type { ClusterJobs } from "../../../../execution/job/cluster-jobs.ts";
import { settleClusterOrphans } from "../../../../execution/job/cluster-orphans.ts";
import { clusterResult } from "../../../../execution/job/cluster-result.ts";
import { JobHistory, readJob } from "../../../../execution/job/history.ts";
import { manifestName } from "../../../../execution/job/manifest.ts";
import { ownerMark } from "../../../../execution/job/orphans.ts";
import { NO_POD } from "../../../../execution/job/pod-state.ts";
import { PodWatch } from "../../../../execution/job/pod-watch.ts";
import { silent } from "../../../../progress.ts";
import { thisOwner } from "../../../../toolchain/lock.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";
import { aJob } from "./job-values.ts";

const NAME = manifestName(aJob());
const PLACE = { description: aJob(), namespace: "jobs", uid: "u" };

/** A cluster without anything in it, that says what it was asked to do. */
function cluster(has: Partial<ClusterJobs>) {
  const done: string[] = [];
  const absent = () => Promise.resolve(undefined);
  const fake: ClusterJobs = {
    namespace: "jobs",
    create: () => Promise.reject(new Error("nothing is made here")),
    end: (name) => Promise.resolve(void done.push(`end ${name}`)),
    remove: (kind, name) => Promise.resolve(void done.push(`remove ${kind} ${name}`)),
    pod: absent,
    job: () => Promise.resolve({ metadata: { name: NAME, uid: "u" } }),
    jobs: () => Promise.resolve([]),
    events: () => Promise.resolve([]),
    follow: absent,
    ...has,
  };
  return { fake, done };
}

/** A watch of a cluster, in a time that only passes while it waits. */
function watched(has: Partial<ClusterJobs>) {
  const { fake, done } = cluster(has);
  const [notes, lines]: [string[], string[]] = [[], []];
  let now = 0;
  const sleep = (ms: number) => {
    now += ms;
    // Nothing here takes so long: a wait without end shall fail, not hang.
    return now < 3_600_000 ? Promise.resolve() : Promise.reject(new Error("it waits for ever"));
  };
  const clock = { now: () => now, sleep };
  const progress = { ...silent, note: (text: string) => void notes.push(text) };
  const watch = new PodWatch(fake, { ...PLACE, output: { line: (text) => void lines.push(text) }, progress }, clock);
  return { watch, done, notes, lines, seconds: () => now / 1000 };
}

const waiting = (reason: string, message = ""): V1Pod => ({
  metadata: { name: "p", uid: "pod" },
  status: { phase: "Pending", containerStatuses: [{ name: "job", state: { waiting: { reason, message } } }] as never },
});
const prints =
  (...log: readonly string[]): ClusterJobs["follow"] =>
  (_pod, _namespace, onLine) => {
    for (const line of log) onLine(line);
    return Promise.resolve();
  };
const never = () => new AbortController().signal;
const refusal = (message: string) =>
  ({ type: "Warning", reason: "FailedCreate", message, metadata: {} }) as CoreV1Event;

describe("a pod that is watched", () => {
  it("and never made because it is refused ends the wait, with the reason", async () => {
    const { watch, notes, seconds } = watched({
      events: (uid) => Promise.resolve(uid === "u" ? [refusal('pods "a" is forbidden: violates PodSecurity')] : []),
    });
    const state = await watch.untilEnd(never());
    expect(state).toMatchObject({ phase: "waiting", error: expect.stringContaining("violates PodSecurity") as string });
    expect(notes).toEqual(["its pod has not started yet: FailedCreate: pods is forbidden: violates PodSecurity"]);
    expect(seconds()).toBeLessThan(5);
  });

  it("and whose image never comes is given two minutes from the first failure on, and says each reason once", async () => {
    const asked: string[] = [];
    const { watch, notes, seconds } = watched({
      pod() {
        asked.push("");
        // The first twenty minutes no node takes it: the registry's two begin after that.
        if (seconds() < 1200) {
          const conditions = [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message: "full" }];
          return Promise.resolve({ metadata: { name: "p" }, status: { phase: "Pending", conditions } } as V1Pod);
        }
        return Promise.resolve(waiting(asked.length % 2 === 0 ? "ErrImagePull" : "ImagePullBackOff"));
      },
    });
    const state = await watch.untilEnd(never());
    expect(state.error).toMatch(/^(ErrImagePull|ImagePullBackOff)$/);
    expect(seconds()).toBeGreaterThan(1319);
    expect(seconds()).toBeLessThan(1330);
    expect(notes[0]).toBe("its pod has not started yet: Unschedulable: full");
    expect(new Set(notes).size).toBe(notes.length);
  });

  it("of a Job that somebody removed is not waited for", async () => {
    for (const job of [undefined, { metadata: { name: NAME, uid: "of a later one" } }]) {
      const { watch } = watched({ job: () => Promise.resolve(job) });
      expect((await watch.untilEnd(never())).error).toBe("its Job was removed");
    }
  });

  it("is waited for although its events may not be read", async () => {
    const pods = [undefined, ...Array<V1Pod>(9).fill(waiting("ContainerCreating")), ended];
    const { watch, lines } = watched({
      pod: () => Promise.resolve(pods.shift()),
      events: () => Promise.reject(new Error("403")),
      follow: prints("a line"),
    });
    expect(await watch.untilEnd(never())).toMatchObject({ phase: "ended", exitCode: 3 });
    expect(lines).toEqual(["a line"]);
    expect(watch.problem).toBeUndefined();
  });

  it("and stopped before it is there has its Job ended", async () => {
    const { watch, done } = watched({});
    expect(await watch.untilEnd(AbortSignal.abort())).toEqual(NO_POD);
    expect(done).toEqual([`end ${NAME}`]);
  });
});

const ended = {
  metadata: { name: "p", uid: "pod" },
  status: { phase: "Failed", containerStatuses: [{ name: "job", state: { terminated: { exitCode: 3 } } }] },
} as V1Pod;

it("a result says why a pod never started, and why it was taken away", () => {
  const output = { result: undefined, summary: undefined, fault: undefined };
  const canceled = clusterResult(aJob(), output, { state: NO_POD, cause: "canceled", problem: "Unschedulable: full" });
  expect(canceled).toMatchObject({ status: "canceled", notes: ["its pod never started: Unschedulable: full"] });
  const refused = { ...NO_POD, error: "FailedCreate: no" };
  expect(clusterResult(aJob(), output, { state: refused, cause: undefined, problem: refused.error })).toMatchObject({
    ...{ status: "failed", error: "the container could not be started: FailedCreate: no" },
  });
  const evicted = { ...NO_POD, startedAt: "now", exitCode: 137, remark: "Evicted: too much" };
  expect(clusterResult(aJob(), output, { state: evicted, cause: undefined, problem: undefined }).notes).toEqual([
    "Evicted: too much",
  ]);
});

describe("what a killed kiln left in a cluster", () => {
  const dead = ownerMark({ ...thisOwner(), started: "1" });
  const orphan = (owner: string, more: Partial<V1Job> = {}): V1Job => ({
    ...{ metadata: { name: NAME, uid: "u", annotations: { "dev.kiln/owner": owner } }, ...more },
  });
  const log = [
    { kind: "output", stream: "stdout", text: "from the first line on" },
    { kind: "result", result: { job_id: "job-1", status: "canceled", exit_code: null, artifacts: [] } },
  ].map((line) => JSON.stringify({ at: "now", ...line }));

  async function lostJob() {
    const history = path.join(await temporaryDirectory(), "history");
    const { folder } = await JobHistory.begin(history, aJob(), NAME);
    await writeFile(path.join(folder, "owner.json"), JSON.stringify({ ...thisOwner(), started: "1", container: NAME }));
    await writeFile(path.join(folder, "events.ndjson"), "half of a line");
    await mkdir(path.join(folder, "incoming"));
    return { history, folder };
  }

  it("is ended, its output taken into the folder of its job, and removed", async () => {
    const { history, folder } = await lostJob();
    const { fake, done } = cluster({
      jobs: () => Promise.resolve([orphan(dead)]),
      pod: () => Promise.resolve(ended),
      follow: prints(...log),
    });
    const place = { cluster: fake, namespace: "jobs", history, progress: silent };
    expect(await settleClusterOrphans(place)).toEqual([NAME]);
    expect(done).toEqual([`end ${NAME}`, `remove Job ${NAME}`]);
    const settled = await readJob(folder);
    expect(settled).toMatchObject({ status: "canceled", result: { notes: [expect.stringContaining("was killed")] } });
    expect(await readFile(path.join(folder, "stdout.log"), "utf8")).toBe("from the first line on\n");
    expect((await readdir(folder)).sort()).toEqual(["events.ndjson", "job.json", "result.json", "stdout.log"]);
  });

  it("is not touched while its process may live, or after it went", async () => {
    const { history } = await lostJob();
    const living = [ownerMark(), ownerMark({ ...thisOwner(), host: "elsewhere", started: "1" }), ""].map((mark) =>
      orphan(mark),
    );
    const going = orphan(dead, {
      metadata: { name: NAME, deletionTimestamp: new Date(), annotations: { "dev.kiln/owner": dead } },
    });
    const { fake, done } = cluster({ jobs: () => Promise.resolve([...living, going]) });
    expect(await settleClusterOrphans({ cluster: fake, namespace: "jobs", history, progress: silent })).toEqual([]);
    expect(done).toEqual([]);
  });

  it("but has its folder elsewhere is ended without its Secret, and keeps its log", async () => {
    const history = path.join(await temporaryDirectory(), "other");
    const over = orphan(dead, { status: { conditions: [{ type: "Failed", status: "True" }] } });
    for (const [job, expected] of [
      [orphan(dead), [`end ${NAME}`, `remove Secret ${NAME}`]],
      [over, []],
    ] as const) {
      const { fake, done } = cluster({ jobs: () => Promise.resolve([job]) });
      await settleClusterOrphans({ cluster: fake, namespace: "jobs", history, progress: silent });
      expect(done).toEqual(expected);
    }
  });

  it("keeps nobody from running a job where it cannot be looked for", async () => {
    const notes: string[] = [];
    const progress = { ...silent, note: (text: string) => void notes.push(text) };
    const { fake } = cluster({ jobs: () => Promise.reject(new Error("jobs are forbidden")) });
    expect(await settleClusterOrphans({ cluster: fake, namespace: "jobs", history: "/none", progress })).toEqual([]);
    expect(notes).toEqual([expect.stringContaining("jobs are forbidden")]);
  });
});
