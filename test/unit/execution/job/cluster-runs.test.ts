import { mkdir, readdir, readlink, writeFile } from "node:fs/promises";
import path from "node:path";
import type { CoreV1Event, V1Pod } from "@kubernetes/client-node";
import { describe, expect, it } from "vitest";
import { KilnError } from "../../../../errors.ts";
import type { ClusterJobs } from "../../../../execution/job/cluster-jobs.ts";
import { clusterResult } from "../../../../execution/job/cluster-result.ts";
import { KubernetesRunner } from "../../../../execution/job/kubernetes-runner.ts";
import type { JobResult } from "../../../../execution/job/result.ts";
import { NO_POD } from "../../../../execution/job/pod-state.ts";
import { PodWatch } from "../../../../execution/job/pod-watch.ts";
import { silent } from "../../../../progress.ts";
import { cluster, ended, NAME, prints } from "./cluster-values.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";
import { aJob } from "./job-values.ts";

const PLACE = { description: aJob(), namespace: "jobs", uid: "u" };

/** A watch of a cluster, in a time that only passes while it waits. */
function watched(has: Partial<ClusterJobs>, result = () => undefined as JobResult | undefined) {
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
  const output = {
    line: (text: string) => void lines.push(text),
    get result() {
      return result();
    },
  };
  const watch = new PodWatch(fake, { ...PLACE, output, progress }, clock);
  return { watch, done, notes, lines, seconds: () => now / 1000 };
}

const waiting = (reason: string, message = ""): V1Pod => ({
  metadata: { name: "p", uid: "pod" },
  status: { phase: "Pending", containerStatuses: [{ name: "job", state: { waiting: { reason, message } } }] as never },
});
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

  const away = () => new KilnError("unreachable", "the cluster does not answer: 502");
  const gone = () => new KilnError("failed", "the cluster refuses to read the log of the job's objects (404)");

  /** A log that is read so, one way after the other, and then as the last. Its result is the line that says so. */
  function readsOf(...ways: readonly (readonly string[] | KilnError)[]) {
    let reads = 0;
    const said: string[] = [];
    const follow: ClusterJobs["follow"] = (_pod, _namespace, onLine) => {
      const way = ways[Math.min(reads++, ways.length - 1)];
      if (way instanceof KilnError) return Promise.reject(way);
      for (const line of way ?? []) onLine(line);
      said.push(...(way ?? []));
      return Promise.resolve();
    };
    const result = () => (said.includes("result") ? ({} as JobResult) : undefined);
    return { ...watched({ pod: () => Promise.resolve(ended), follow }, result), reads: () => reads };
  }

  it.each([
    ["is away for a moment", [away(), away(), ["a", "result"]], ["a", "result"], 3, true],
    ["is cut off without a word", [["a"], ["a", "b", "result"]], ["a", "b", "result"], 2, true],
    ["has no result, since its container was killed", [["a"]], ["a"], 2, true],
    ["is gone", [gone()], [], 1, false],
  ] as const)("and has ended is followed until its log has come: one that %s", async (_, ways, all, count, isWhole) => {
    const { watch, lines, reads } = readsOf(...ways);
    expect(await watch.untilEnd(never())).toMatchObject({ phase: "ended", exitCode: 3 });
    expect(lines).toEqual(all);
    expect([reads(), watch.isLogWhole]).toEqual([count, isWhole]);
  });

  it("and whose log cannot be had is given up after five minutes", async () => {
    const { watch, seconds } = readsOf(away());
    expect(await watch.untilEnd(never())).toMatchObject({ phase: "ended" });
    expect(watch.isLogWhole).toBe(false);
    expect(seconds()).toBeGreaterThan(299);
    expect(seconds()).toBeLessThan(310);
  });

  it("and was never started has no log that is waited for", async () => {
    const status = { phase: "Failed", reason: "OutOfmemory", message: "Pod was rejected" };
    const { watch, seconds } = watched({
      pod: () => Promise.resolve({ metadata: { name: "p" }, status } as V1Pod),
      follow: () => Promise.reject(away()),
    });
    expect(await watch.untilEnd(never())).toMatchObject({ error: "OutOfmemory: Pod was rejected" });
    expect(seconds()).toBe(0);
  });

  it("and stopped before it is there has its Job ended", async () => {
    const { watch, done } = watched({});
    expect(await watch.untilEnd(AbortSignal.abort())).toEqual(NO_POD);
    expect(done).toEqual([`end ${NAME}`]);
  });
});

it("a Job that could not be made leaves no file of its folder open", async () => {
  const root = await temporaryDirectory();
  const [scripts, history] = [path.join(root, "scripts"), path.join(root, "history")];
  await mkdir(path.join(scripts, "ops"), { recursive: true });
  await writeFile(path.join(scripts, "ops/restart.py"), "");
  const runner = new KubernetesRunner({ cluster: cluster({}).fake });
  const description = aJob({ source: { kind: "directory", path: scripts } });
  await expect(runner.run({ description, history })).rejects.toThrow("nothing is made here");
  expect(await readdir(history)).toHaveLength(1);
  const open = await Promise.all(
    (await readdir("/proc/self/fd")).map((name) => readlink(`/proc/self/fd/${name}`).catch(() => "")),
  );
  expect(open.filter((file) => file.startsWith(root))).toEqual([]);
});

it("a result says why a pod never started, and why it was taken away", () => {
  const output = { result: undefined, summary: undefined, fault: undefined };
  const base = { cause: undefined, problem: undefined, isLogWhole: true };
  const unstarted = { ...base, cause: "canceled", problem: "Unschedulable: full" } as const;
  const canceled = clusterResult(aJob(), output, { ...unstarted, state: NO_POD });
  expect(canceled).toMatchObject({ status: "canceled", notes: ["its pod never started: Unschedulable: full"] });
  const refused = { ...NO_POD, error: "FailedCreate: no" };
  expect(clusterResult(aJob(), output, { ...base, state: refused, problem: refused.error })).toMatchObject({
    ...{ status: "failed", error: "the container could not be started: FailedCreate: no" },
  });
  const evicted = { ...NO_POD, startedAt: "now", exitCode: 137, remark: "Evicted: too much" };
  expect(clusterResult(aJob(), output, { ...base, state: evicted }).notes).toEqual(["Evicted: too much"]);
});

it("a result says that its log was cut off, and nothing of an entrypoint that prints no files", () => {
  const state = { ...NO_POD, startedAt: "now", exitCode: 0 };
  const end = { state, cause: undefined, problem: undefined };
  const summary = { kind: "summary", at: "now", status: "succeeded", exit_code: 0 };
  const summarized = { result: undefined, summary, fault: undefined };
  const [cut, whole] = [false, true].map((isLogWhole) => clusterResult(aJob(), summarized, { ...end, isLogWhole }));
  expect(cut?.notes).toEqual([expect.stringMatching(/^its log could not be read to its end: artifacts/)]);
  expect(whole?.notes).toEqual([expect.stringMatching(/^its entrypoint does not print files/)]);
  const none = { ...summarized, summary: undefined };
  expect(clusterResult(aJob(), none, { ...end, isLogWhole: false }).error).toBe(
    "its log could not be read to its end (exit code 0)",
  );
});
