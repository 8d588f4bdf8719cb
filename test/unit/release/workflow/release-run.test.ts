import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { silent } from "../../../../progress.ts";
import { plannedJobs } from "../../../../release/workflow/release-plan.ts";
import { readRelease } from "../../../../release/workflow/release-run.ts";
import { places } from "../../../../toolchain/places.ts";
import { run } from "../../../../toolchain/process.ts";
import { jobFile, oneJob, resultsOf, TAG, WorkflowProject } from "../../../support/workflow-project.ts";

let project: WorkflowProject;
beforeEach(async () => {
  project = await WorkflowProject.make();
});

const CALLER = `
on:
  push: { tags: ["image-v*"] }
  workflow_dispatch: { inputs: { fail: { type: string } } }
jobs:
  release:
    uses: your-org/your-repo/.github/workflows/build.yml@main
    with: { version: "\${{ github.ref_name }}", fail: "\${{ inputs.fail }}" }
    secrets: inherit
`;
const BUILD = `
on:
  workflow_call:
    inputs: { version: { type: string, required: true }, fail: { type: string } }
    outputs: { digest: { value: "\${{ jobs.compose.outputs.digest }}" } }
jobs:
  plan:
    runs-on: ubuntu-latest
    outputs: { matrix: "\${{ steps.plan.outputs.matrix }}" }
    steps:
      - uses: actions/checkout@v6
      - id: plan
        run: |
          test "$(git rev-parse HEAD)" = "$GITHUB_SHA"
          echo 'matrix={"include":[{"shard":"aws","lane":"lane-0"},{"shard":"gcp","lane":"lane-1"},{"shard":"azure","lane":"lane-0"}]}' >> "$GITHUB_OUTPUT"
  warm:
    name: warm \${{ matrix.shard }}
    needs: plan
    runs-on: \${{ matrix.lane }}
    strategy: { fail-fast: false, matrix: "\${{ fromJSON(needs.plan.outputs.matrix) }}" }
    steps:
      - name: Warm
        env: { SHARD: "\${{ matrix.shard }}", TOKEN: "\${{ secrets.DEMO_TOKEN }}" }
        run: |
          echo "$SHARD with $TOKEN in \${{ inputs.version }}"
          mkdir out && echo "$SHARD" > "out/$SHARD.txt"
          if [ "$SHARD" = "\${{ inputs.fail }}" ] && [ "$GITHUB_RUN_ATTEMPT" = 1 ]; then echo "$TOKEN does not compile" >&2; exit 7; fi
      - uses: actions/upload-artifact@v4
        with: { name: "layers-\${{ matrix.shard }}", path: out, if-no-files-found: error }
  compose:
    needs: [plan, warm]
    environment: \${{ inputs.version }}
    runs-on: ubuntu-latest
    outputs: { digest: "\${{ steps.join.outputs.digest }}" }
    steps:
      - uses: actions/download-artifact@v4
        with: { pattern: "layers-*", merge-multiple: true, path: in }
      - { id: join, run: 'echo "digest=$(cat in/*.txt | tr "\\n" "-")" >> "$GITHUB_OUTPUT"' }
`;

const READ_HERE =
  /^your-org\/your-repo\/\.github\/workflows\/build\.yml@main is read at commit \w{12} of this checkout; GitHub reads it at main$/;

describe("a whole release with a matrix and artifacts", () => {
  it("runs the jobs of called workflows, and gives their outputs and the order in which they ran", async () => {
    await project.commit({ image: CALLER, build: BUILD });
    const done = await project.run();
    expect(resultsOf(done)).toEqual({
      "release / plan": "success",
      "release / warm aws": "success",
      "release / warm gcp": "success",
      "release / warm azure": "success",
      "release / compose": "success",
    });
    expect(project.notes).toContainEqual(expect.stringMatching(READ_HERE));
    expect(done).toMatchObject({ result: "success", attempt: 1, outputs: { "release.digest": "aws-azure-gcp-" } });
    expect(done.timeline.criticalPath.map(({ title }) => title)).toEqual([
      ...["release / plan", "release / warm azure", "release / compose"],
    ]);
    expect(await jobFile(done, "release-warm-aws-lane-0", "01-Warm.log")).toBe("aws with [secret] in image-v1.2.3\n");
    expect(project.notes).toContain("release / compose (environment image-v1.2.3: nobody is asked for approval here)");
    expect(existsSync(path.join(done.folder, "jobs/release-plan/workspace"))).toBe(false);
  });

  it("says where it reads what it calls in the repository itself too, and nothing where that is of the same commit", async () => {
    await project.commit({ image: CALLER, build: BUILD });
    const env = { PATH: process.env.PATH, GITHUB_REPOSITORY: "your-org/your-repo" };
    await project.run({ env });
    expect(project.notes).toContainEqual(expect.stringMatching(READ_HERE));
    project.notes.length = 0;
    await project.commit({ image: CALLER.replace("your-org/your-repo/", "./").replace("@main", ""), build: BUILD });
    await project.run({ env, fresh: true });
    expect(project.notes.join("\n")).not.toContain("is read at commit");
  });

  it("repeats the shard that failed and what waits for it, nothing else", async () => {
    await project.commit({ image: CALLER, build: BUILD });
    const inputs = { fail: "gcp" };
    const first = await project.run({ inputs });
    expect(resultsOf(first)).toMatchObject({ "release / warm gcp": "failure", "release / compose": "skipped" });
    expect(first).toMatchObject({ result: "failure", failures: ['release / warm gcp: the step "Warm" exited with 7'] });
    expect(project.notes.find((note) => note.includes("exited with 7"))).toContain("  | [secret] does not compile\n");
    const second = await project.run({ inputs });
    expect(resultsOf(second)).toEqual({
      "release / plan": "done before",
      "release / warm aws": "done before",
      "release / warm azure": "done before",
      "release / warm gcp": "success",
      "release / compose": "success",
    });
    expect(second).toMatchObject({ result: "success", attempt: 2, outputs: { "release.digest": "aws-azure-gcp-" } });
    expect(Object.values(resultsOf(await project.run({ inputs })))).toEqual(Array(5).fill("done before"));
    expect(new Set(Object.values(resultsOf(await project.run({ inputs, fresh: true }))))).toEqual(
      new Set(["success", "failure", "skipped"]),
    );
  });

  it("takes turns with another release where jobs are of one group", async () => {
    const log = path.join(project.folder, ".kiln/log");
    const script = `echo $GITHUB_REF_NAME >> '${log}'; sleep 0.4; echo $GITHUB_REF_NAME >> '${log}'`;
    const group = "{ group: 'stack-${{ github.ref_type }}', cancel-in-progress: false, queue: max }";
    await project.commit({ image: oneJob(`      - run: "${script}"\n`, `    concurrency: ${group}\n`) });
    await run("git", ["tag", "image-v1.2.4"], { cwd: project.folder });
    const ends = await Promise.all([TAG, "image-v1.2.4"].map((tag) => project.run({ tag })));
    expect(ends.map(({ result }) => result)).toEqual(["success", "success"]);
    const [one, two, three, four] = (await readFile(log, "utf8")).split("\n");
    expect([one, three]).toEqual([two, four]);
    expect(new Set([one, three])).toEqual(new Set([TAG, "image-v1.2.4"]));
    expect(project.notes.join("\n")).toMatch(/waiting for the group stack-tag: process \d+ is at it/);
  });

  it("repeats the job whose artifact is gone, and with it what used it", async () => {
    await project.commit({ image: CALLER, build: BUILD });
    const { folder } = await project.run();
    await rm(path.join(folder, "artifacts/layers-aws"), { recursive: true });
    expect(resultsOf(await project.run())).toMatchObject({
      "release / plan": "done before",
      "release / warm aws": "success",
      "release / warm gcp": "done before",
      "release / compose": "success",
    });
    expect(project.notes).toContain("release / warm aws: its artifact layers-aws is gone; it is repeated");
  });

  it("is planned without running anything", async () => {
    await project.commit({ image: CALLER, build: BUILD });
    const release = await readRelease({
      places: places({}, project.folder),
      env: {},
      tag: TAG,
      inputs: {},
      progress: silent,
    });
    const jobs = plannedJobs(release);
    expect(jobs.map(({ key }) => key)).toEqual(["release", "release / plan", "release / warm", "release / compose"]);
    expect(jobs[2]).toMatchObject({ needs: ["release / plan"], matrix: "${{ fromJSON(needs.plan.outputs.matrix) }}" });
    expect(jobs[3]?.steps[0]).toEqual({
      title: "actions/download-artifact",
      does: "taken from the run's folder and checked",
    });
    expect(existsSync(path.join(project.folder, ".kiln"))).toBe(false);
  });
});
