import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import type { V1Job } from "@kubernetes/client-node";
import { describe, expect, it } from "vitest";
import { KilnError } from "../../../../errors.ts";
import { settleClusterOrphans } from "../../../../execution/job/cluster-orphans.ts";
import { JobHistory, readJob } from "../../../../execution/job/history.ts";
import { ownerMark } from "../../../../execution/job/orphans.ts";
import { silent } from "../../../../progress.ts";
import { thisOwner } from "../../../../toolchain/lock.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";
import { cluster, ended, NAME, prints } from "./cluster-values.ts";
import { aJob } from "./job-values.ts";

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
    await writeFile(path.join(folder, "events.ndjson"), '{"kind":"note"}\nhalf of a line');
    await writeFile(path.join(folder, "stdout.log"), "streamed");
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

  it.each([
    ["was evicted, and its log is gone", () => Promise.reject(new KilnError("failed", "(404)"))],
    ["has no more in its log than was here", prints('{"at":"now","kind":"note"}')],
  ])("and %s keeps what it streamed, and its Job", async (_, follow) => {
    const { history, folder } = await lostJob();
    const { fake, done } = cluster({
      jobs: () => Promise.resolve([orphan(dead)]),
      pod: () => Promise.resolve(ended),
      follow,
    });
    await settleClusterOrphans({ cluster: fake, namespace: "jobs", history, progress: silent });
    expect(done.at(-1)).toBe(`remove Secret ${NAME}`);
    expect(done).not.toContain(`remove Job ${NAME}`);
    const { status, result } = await readJob(folder);
    expect([status, result?.notes?.at(-1)]).toEqual(["failed", expect.stringContaining(`the Job ${NAME} stays`)]);
    expect(await readFile(path.join(folder, "stdout.log"), "utf8")).toBe("streamed");
    expect(await readFile(path.join(folder, "events.ndjson"), "utf8")).toBe('{"kind":"note"}\nhalf of a line');
    expect(await readdir(folder)).not.toContain(".again");
  });

  it("is taken as far as its log came, and its Job removed only where that was all of it", async () => {
    for (const [isBroken, last] of [
      [true, `remove Secret ${NAME}`],
      [false, `remove Job ${NAME}`],
    ] as const) {
      const { history, folder } = await lostJob();
      let reads = 0;
      const { fake, done } = cluster({
        jobs: () => Promise.resolve([orphan(dead)]),
        // Gone when it is asked for again.
        pod: () => Promise.resolve(isBroken && reads > 0 ? undefined : ended),
        follow(...args) {
          reads += 1;
          return prints(log[0] ?? "", log[0] ?? "")(...args);
        },
      });
      await settleClusterOrphans({ cluster: fake, namespace: "jobs", history, progress: silent });
      expect(done.at(-1)).toBe(last);
      expect(await readFile(path.join(folder, "stdout.log"), "utf8")).toMatch(/^(from the first line on\n){2}$/);
    }
  });

  it("and that never started leaves nothing, so its Job goes", async () => {
    const { history, folder } = await lostJob();
    await writeFile(path.join(folder, "events.ndjson"), "");
    const { fake, done } = cluster({ jobs: () => Promise.resolve([orphan(dead)]) });
    await settleClusterOrphans({ cluster: fake, namespace: "jobs", history, progress: silent });
    expect(done).toEqual([`end ${NAME}`, `remove Job ${NAME}`]);
    expect((await readJob(folder)).status).toBe("failed");
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
