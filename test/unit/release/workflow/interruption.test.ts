import { readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, expect, it, vi } from "vitest";
import { markOf, thisOwner } from "../../../../toolchain/lock.ts";
import { run } from "../../../../toolchain/process.ts";
import { oneJob, resultsOf, WorkflowProject } from "../../../support/workflow-project.ts";

let project: WorkflowProject;
beforeEach(async () => {
  project = await WorkflowProject.make();
});

it("stops at an interruption, and goes on from there", async () => {
  const workflow = `on: { push: { tags: ["image-v*"] } }\njobs:\n  a: { runs-on: ubuntu-latest, steps: [{ run: 'true' }] }\n  b: { needs: a, runs-on: ubuntu-latest, steps: [{ run: 'test "$GITHUB_RUN_ATTEMPT" = 2 || sleep 60' }] }\n`;
  await project.commit({ image: workflow });
  const stop = new AbortController();
  const stopped = project.run({ signal: stop.signal });
  await vi.waitUntil(() => project.notes.includes("b"), { timeout: 10_000 });
  stop.abort();
  await expect(stopped).rejects.toMatchObject({ kind: "interrupted" });
  expect(resultsOf(await project.run())).toEqual({ a: "done before", b: "success" });
});

it("ends a step that a killed run left, before it begins", async () => {
  await project.commit({ image: oneJob("      - { run: 'true' }\n") });
  const { folder } = await project.run();
  const { stdout } = await run("bash", ["-c", "setsid sleep 60 > /dev/null 2>&1 & sleep 0.2; echo $!"], {
    cwd: project.folder,
  });
  const mark = markOf(Number(stdout));
  if (mark === undefined) throw new Error("the step did not start");
  await writeFile(path.join(folder, "jobs/a/process.json"), JSON.stringify(mark));
  const gone = { ...thisOwner(), pid: 2 ** 22 - 1, started: "1" };
  await writeFile(
    `${folder}.lock`,
    JSON.stringify({ run_id: "killed", ...gone, container: "none", engine: "", since: "now" }),
  );
  await project.run();
  expect(markOf(mark.pid)).toBeUndefined();
  expect(await readdir(path.dirname(folder))).toEqual([path.basename(folder)]);
});
