import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { checkDescription, JOB_API } from "../../execution/job/description.ts";
import { readHistory, readJob } from "../../execution/job/history.ts";
import type { JobRun } from "../../execution/job/job-options.ts";
import { jobManifest } from "../../execution/job/manifest.ts";
import { silent } from "../../progress.ts";
import { isExtended } from "../support/extended.ts";
import { jobName, JOB_TIMEOUTS, startJobCluster, type JobCluster } from "../support/job-cluster.ts";
import { fileOf, printed } from "../support/job-runs.ts";
import { nodeProblem } from "../support/kubernetes-node.ts";
import { items } from "../support/listed-object.ts";

const problem = isExtended ? await nodeProblem() : "only npm run test:extended runs jobs by a kubelet";
if (problem !== undefined) console.warn(`skipped: ${problem}`);

const PATIENT = { timeout: 60_000, interval: 200 };
/** Leaves an artifact, so that each ending shows whether it comes. */
const LEAVE = `
import json, os, sys, time
def leave(text, name="left.txt"):
    with open(os.path.join(os.environ["ARTIFACTS_DIR"], name), "w") as file: file.write(text)
`;
const FOREVER = `${LEAVE}leave("left")\nprint("at work", flush=True)\ntime.sleep(300)`;

describe.skipIf(problem !== undefined)("a job by a real kubelet", { timeout: 300_000 }, () => {
  let jobs: JobCluster;

  beforeAll(async () => {
    jobs = await startJobCluster();
  }, 900_000);

  afterAll(() => jobs.stop());

  it("succeeds, with its artifacts, logs and result; its Secret goes, its Job stays to be looked at", async () => {
    const script = `${LEAVE}leave("whole")
print("to standard output", os.environ["PASSWORD"])
print("to standard error", os.getuid(), file=sys.stderr)
for place in ["/etc/owned", "/workspace/scripts/job.py"]:
    try: open(place, "w").close(); print("wrote", place)
    except OSError as error: print("refused", place)`;
    const password = Buffer.from("correct horse battery");
    const secrets = [{ name: "PASSWORD", as: "environment" }];
    const ended = await jobs.run("succeeds", script, { secrets }, { secrets: { PASSWORD: password } });
    expect(ended.result).toMatchObject({
      ...{ job_id: "succeeds", status: "succeeded", exit_code: 0 },
      artifacts: [{ name: "left.txt", bytes: 5 }],
    });
    expect(await fileOf(ended, "artifacts/left.txt")).toBe("whole");
    expect(await fileOf(ended, "stdout.log")).toBe(
      "to standard output [secret]\nrefused /etc/owned\nrefused /workspace/scripts/job.py\n",
    );
    expect(await fileOf(ended, "stderr.log")).toBe("to standard error 65532\n");
    expect(JSON.parse(await fileOf(ended, "result.json"))).toEqual(ended.result);
    expect(ended.description.image_digest).toBe(jobs.image);
    const secret = await jobs.plane.request(
      "GET",
      `/api/v1/namespaces/${jobs.namespace}/secrets/${jobName("succeeds")}`,
    );
    expect(secret.status).toBe(404);
    await vi.waitFor(async () => {
      const { status } = (await jobs.api.job(jobName("succeeds"), jobs.namespace)) ?? {};
      expect(status).toMatchObject({ succeeded: 1 });
    }, PATIENT);
  });

  it("gets its parameters as they are, also what a kubelet would put variables in place of", async () => {
    const parameters = {
      ...{ whole: 42, fraction: 0.125, yes: true, list: [1, "two", { three: 3 }], nothing: null },
      reference: "$(JOB_ID) $(SCRIPT_ID)",
      escaped: "$$(JOB_ID) $$$(JOB_ID) $$$$ $ $() $(",
      hostile: "; rm -rf / # $(touch /tmp/owned) `id` ${HOME}",
      ...{ lines: "first\nsecond\r\n", dashes: "--option=-x", quotes: "'\"\\", unicode: "äöü € 🎉" },
    };
    const script = `${LEAVE}leave(json.dumps({"argv": sys.argv[1:], "file": json.load(open(os.environ["KILN_PARAMETERS_FILE"]))}), "p.json")`;
    const large = "$(JOB_ID) ".repeat(20 * 1024);
    const [small, big] = await Promise.all([
      jobs.run("small", script, { parameters }),
      jobs.run("big", script, { parameters: { ...parameters, large } }),
    ]);
    const said = JSON.parse(await fileOf(small, "artifacts/p.json")) as { argv: string[]; file: unknown };
    expect(said.file).toEqual(parameters);
    for (const name of ["reference", "escaped", "hostile", "lines", "dashes", "quotes", "unicode"] as const) {
      expect(said.argv).toContain(`--${name}=${parameters[name]}`);
    }
    const other = JSON.parse(await fileOf(big, "artifacts/p.json")) as { file: unknown };
    expect(other.file).toEqual({ ...parameters, large });
  });

  it("brings its artifacts whatever its end: failure, timeout, silence, cancellation", async () => {
    const waiting = printed("waiting");
    const cancel = new AbortController();
    void waiting.said.then(() => {
      cancel.abort();
    });
    const ended = await Promise.all([
      jobs.run("fails", `${LEAVE}leave("failed")\nsys.exit(7)`),
      jobs.run("late", `${LEAVE}leave("late")\nwhile True: print("at it", flush=True); time.sleep(0.1)`, {
        timeouts: { ...JOB_TIMEOUTS, script: 2 },
      }),
      jobs.run("quiet", `${LEAVE}leave("quiet")\ntime.sleep(300)`, { timeouts: { ...JOB_TIMEOUTS, idle: 2 } }),
      jobs.run(
        "stopped",
        `${LEAVE}leave("stopped")\nprint("waiting", flush=True)\ntime.sleep(300)`,
        {},
        {
          ...{ signal: cancel.signal, onEvent: waiting.onEvent },
        },
      ),
    ]);
    expect(ended.map(({ result }) => [result.status, result.error_detail?.code])).toEqual([
      ["failed", "script_failed"],
      ["timed_out", "script_timeout"],
      ["timed_out", "idle_timeout"],
      ["canceled", "canceled"],
    ]);
    expect(ended[0].result.exit_code).toBe(7);
    const left = await Promise.all(ended.map((one) => fileOf(one, "artifacts/left.txt")));
    expect(left).toEqual(["failed", "late", "quiet", "stopped"]);
    const pod = async (id: string) =>
      jobs.api.pod((await jobs.api.job(jobName(id), jobs.namespace))?.metadata?.uid ?? "", jobs.namespace);
    expect((await pod("fails"))?.status?.containerStatuses?.[0]?.state?.terminated?.exitCode).toBe(7);
  });

  it("is told to have had too much memory", async () => {
    const ended = await jobs.run("greedy", `${LEAVE}leave("greedy")\nkept = [bytearray(16 << 20) for _ in range(64)]`);
    expect(ended.result).toMatchObject({ job_id: "greedy", status: "failed" });
    expect(JSON.stringify(ended.result)).toMatch(/oom_killed|memory limit/);
    // A kubelet of cgroup v2 ends the whole pod; elsewhere the entrypoint lives, and brings what there is.
    console.info(
      `too much memory: ${JSON.stringify(ended.result.error_detail)}, ${ended.result.artifacts.length} artifacts`,
    );
  });

  it("does not start before its Secret is there, which is made last, and goes by itself where that never comes", async () => {
    const description = checkDescription({
      ...{ api_version: JOB_API, job_id: "unfinished", image: jobs.image, script: "job" },
      source: { kind: "directory", path: "/none" },
    });
    const { metadata } = await jobs.api.create(
      jobManifest(description, { namespace: jobs.namespace, files: {}, keepSeconds: 1 }),
    );
    const pod = () => jobs.api.pod(metadata?.uid ?? "", jobs.namespace);
    await vi.waitFor(async () => {
      const events = await jobs.api.events((await pod())?.metadata?.uid ?? "", jobs.namespace);
      expect(events.map(({ reason }) => reason)).toContain("FailedMount");
    }, PATIENT);
    expect((await pod())?.status?.containerStatuses?.[0]?.state?.waiting?.reason).toBe("ContainerCreating");
    await jobs.api.end(jobName("unfinished"), jobs.namespace);
    await vi.waitFor(async () => {
      expect(await jobs.names()).not.toContain(jobName("unfinished"));
      expect(await pod()).toBeUndefined();
    }, PATIENT);
  });

  it("is cancelled by Ctrl-C: the artifacts come, nothing stays in the cluster, exit code 130", async () => {
    const running = await jobs.command("interrupted", FOREVER);
    await running.saying(/at work/);
    running.child.kill("SIGINT");
    expect(await running.ended, running.said()).toBe(130);
    const recorded = (await readHistory(jobs.history)).find(({ description }) => description.job_id === "interrupted");
    expect(recorded?.result).toMatchObject({ status: "canceled", artifacts: [{ name: "left.txt" }] });
    await vi.waitFor(async () => {
      expect(await jobs.names()).not.toContain(jobName("interrupted"));
      expect(await items(jobs.plane, `/api/v1/namespaces/${jobs.namespace}/secrets`)).toEqual([]);
    }, PATIENT);
  });

  it("whose kiln was killed is ended by the next run, which takes its output", async () => {
    const killed = await jobs.command("killed", FOREVER);
    await killed.saying(/at work/);
    killed.child.kill("SIGKILL");
    await killed.ended;
    const lost = (await readHistory(jobs.history)).find(({ description }) => description.job_id === "killed");
    expect(lost).toMatchObject({ status: "lost" });
    expect(await jobs.names()).toContain(jobName("killed"));

    const next = await jobs.command("next", `print("next")`);
    expect(await next.ended, next.said()).toBe(0);
    expect(next.said()).toContain("left by a run that was killed");
    const settled = await readJob(lost?.folder ?? "");
    expect(settled.result).toMatchObject({ status: "canceled", artifacts: [{ name: "left.txt" }] });
    expect(settled.result?.notes?.join()).toContain("was killed");
    expect(await fileOf({ folder: settled.folder } as JobRun, "stdout.log")).toBe("at work\n");
    await vi.waitFor(async () => {
      expect(await jobs.names()).not.toContain(jobName("killed"));
    }, PATIENT);
  });

  it.each([
    ["pulled", { image: `localhost:1/none@sha256:${"0".repeat(64)}` }, /ErrImagePull|ImagePullBackOff/],
    [
      "placed",
      { limits: { memory: "900g", disk: "32m", pids: 64, cpus: 0.1 } },
      /Unschedulable: .*Insufficient memory/,
    ],
  ])("says why its pod does not start where it cannot be %s", async (id, fields, why) => {
    const cancel = new AbortController();
    const notes: string[] = [];
    const note = (text: string) => {
      notes.push(text);
      if (why.test(text)) cancel.abort();
    };
    const ended = await jobs.run(id, "", fields, { signal: cancel.signal, progress: { ...silent, note } });
    expect(notes.join("\n")).toMatch(why);
    expect(ended.result).toMatchObject({ status: "canceled", error: "canceled (exit code -1)" });
    expect(ended.result.notes?.join()).toMatch(why);
  });
});
