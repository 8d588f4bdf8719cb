import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readHistory, readJob } from "../../../execution/job/history.ts";
import { engineEnvironment } from "../../../toolchain/docker-engine.ts";
import { run } from "../../../toolchain/process.ts";
import { jobEngine, jobImage, JobRuns } from "../../support/job-runs.ts";
import { kilnCommand } from "../../support/module-command.ts";

let runs: JobRuns;

beforeAll(async () => {
  const engine = await jobEngine();
  runs = new JobRuns(engine, await jobImage(engine), await mkdtemp(path.join(tmpdir(), "kiln-test-jobs-")));
});

afterAll(() => rm(runs.folder, { recursive: true, force: true }));

const FOREVER = `
import os, time
open(os.path.join(os.environ["ARTIFACTS_DIR"], "left.txt"), "w").write("left")
print("at work", flush=True)
time.sleep(300)`;

async function command(script: string, ...args: readonly string[]) {
  const scripts = await runs.scripts(script);
  const env = engineEnvironment(runs.engine);
  const where = ["--image", runs.image, "--script", "job", "--repo", scripts, "--history", runs.history];
  return kilnCommand(["job", "run", ...where, "--grace", "1s", ...args], env);
}

it("Ctrl-C cancels: the artifacts come, nothing stays in the engine, exit code 130", async () => {
  const running = await command(FOREVER, "--job-id", "interrupted");
  await running.saying(/at work/);
  running.child.kill("SIGINT");
  expect(await running.ended).toBe(130);
  const job = (await readHistory(runs.history)).find(({ description }) => description.job_id === "interrupted");
  expect(job?.result).toMatchObject({ status: "canceled", artifacts: [{ name: "left.txt" }] });
  expect(await readdir(path.join(job?.folder ?? "", "artifacts"))).toEqual(["left.txt"]);
  expect(await runs.leftovers()).toEqual([]);
});

it("what a killed kiln leaves, the next run ends and keeps", async () => {
  const killed = await command(FOREVER, "--job-id", "killed");
  await killed.saying(/at work/);
  killed.child.kill("SIGKILL");
  await killed.ended;
  const [lost] = (await readHistory(runs.history)).filter(({ description }) => description.job_id === "killed");
  expect(lost).toMatchObject({ status: "lost" });
  const left = await runs.docker("ps", "--filter", "label=dev.kiln.job=killed", "--format", "{{.Names}}");
  expect(left.stdout).toContain("kiln-job-killed");

  const next = await command(`print("next")`, "--job-id", "next", "--keep", "50");
  expect(await next.ended).toBe(0);
  expect(next.said()).toContain("left by a run that was killed");
  expect(await runs.leftovers()).toEqual([]);
  const settled = await readJob(lost?.folder ?? "");
  expect(settled.result).toMatchObject({ status: "canceled", artifacts: [{ name: "left.txt" }] });
  expect(settled.result?.notes?.join()).toContain("was killed");
});

it("runs a job again as it was, at the commit that its ref was then, and asks for its secrets anew", async () => {
  const scripts = await runs.scripts(`import os\nprint("first version", len(os.environ["TOKEN"]))`);
  const git = (...args: readonly string[]) =>
    run("git", ["-C", scripts, "-c", "user.name=t", "-c", "user.email=t@t", ...args]);
  await git("init", "--quiet", "--initial-branch", "main");
  await git("add", ".");
  await git("commit", "--quiet", "--message", "first");
  const env = { ...engineEnvironment(runs.engine), TOKEN: "a token that is secret" };
  const where = ["--image", runs.image, "--script", "job", "--repo", scripts, "--ref", "main"];
  const job = ["--job-id", "versioned", "--secret", "TOKEN", "--history", runs.history];
  const first = kilnCommand(["job", "run", ...where, ...job], env);
  expect(await first.ended).toBe(0);

  const second = await runs.scripts(`print("second version")`);
  await run("cp", [path.join(second, "job.py"), scripts]);
  await git("commit", "--quiet", "--all", "--message", "second");
  const refused = kilnCommand(["job", "replay", "versioned", "--history", runs.history], env);
  expect(await refused.ended).toBe(2);
  expect(refused.said()).toContain("TOKEN");
  const replayed = kilnCommand(["job", "replay", "versioned", "--secret", "TOKEN", "--history", runs.history], env);
  expect(await replayed.ended).toBe(0);
  expect(replayed.said()).toContain("first version 22");

  const shown = kilnCommand(["job", "show", "versioned", "--log", "--history", runs.history], env);
  expect(await shown.ended).toBe(0);
  expect(shown.said()).toBe("first version 22\n");
  const listed = kilnCommand(["job", "list", "--history", runs.history], env);
  await listed.ended;
  expect(listed.said()).toMatch(/versioned +succeeded +0 +job/);
});
