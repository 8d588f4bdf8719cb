import { existsSync } from "node:fs";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { markOf } from "../../../../toolchain/lock.ts";
import { jobFile, oneJob, resultsOf, WorkflowProject } from "../../../support/workflow-project.ts";

let project: WorkflowProject;
beforeEach(async () => {
  project = await WorkflowProject.make();
});

describe("the steps of a job", () => {
  it("hand environment, folders of programs, outputs and a summary on", async () => {
    const steps = `
      - { run: 'test "$A$B" = wj && test "$HOME" != "${process.env.HOME ?? ""}" && test -z "\${GITHUB_ACTIONS-}" && test "$CI" = true' }
      - run: |
          echo "C=c d" >> "$GITHUB_ENV"; mkdir bin; printf '#!/bin/sh\\necho tool' > bin/tool; chmod +x bin/tool
          echo "$PWD/bin" >> "$GITHUB_PATH"; echo "## Done $A" >> "$GITHUB_STEP_SUMMARY"
      - { id: say, run: 'echo "word=$(tool) $C \${{ env.C }} \${{ vars.MODE }}" >> "$GITHUB_OUTPUT"' }
      - { run: 'test "\${{ steps.say.outputs.word }}" = "tool c d c d quick"' }
      - { working-directory: bin, run: test -x tool }
      - { env: { B: s }, run: 'test "$B" = s && test "\${{ env.B }}" = s' }
`;
    const workflow = `env: { A: w, B: w }\n${oneJob(steps, '    env: { B: j }\n    outputs: { word: "${{ steps.say.outputs.word }}", token: "${{ secrets.DEMO_TOKEN }}" }\n')}`;
    await project.commit({ image: workflow });
    const done = await project.run();
    expect(project.notes.filter((note) => note.includes("failed"))).toEqual([]);
    expect(done.outputs).toEqual({ "a.word": "tool c d c d quick" });
    expect(project.notes).toContain("a: the output token holds a secret and is left out");
    expect(await jobFile(done, "a", "summary.md")).toBe("## Done w\n");
    const state = await jobFile(done, "..", "state.json");
    expect(state).not.toContain("hunter2222");
  });

  it("end a job with what kiln said, so that the program that does not compile is named at the end too", async () => {
    const says = "kiln: 1 program does not compile:\\n  gcp/topic: main.go:3:1: no hunter2222\\n      Mend it.\\n";
    await project.commit({ image: oneJob(`      - { name: warm, run: "printf '${says}' >&2; exit 1" }\n`) });
    expect((await project.run()).failures).toEqual([
      expect.stringMatching(
        /^a: the step "warm" exited with 1: 1 program does not compile: gcp\/topic: main\.go:3:1: no /,
      ),
    ]);
  });

  it("run by their conditions after a failure, and a failure may be forgiven", async () => {
    const steps = `
      - { id: soft, continue-on-error: true, run: exit 3 }
      - { name: after soft, if: "steps.soft.outcome == 'failure' && steps.soft.conclusion == 'success'", run: 'true' }
      - { name: pipe, run: "false | true" }
      - { name: strict, shell: bash, run: "false | true" }
      - { name: skipped, run: 'true' }
      - { name: on failure, if: failure(), run: 'true' }
      - { name: always, if: always(), run: 'test "\${{ job.status }}" = failure' }
`;
    await project.commit({ image: oneJob(steps) });
    const done = await project.run();
    expect(done.failures).toEqual(['a: the step "strict" exited with 1']);
    const state = JSON.parse(await jobFile(done, "..", "state.json")) as {
      jobs: Record<string, { steps: { result: string }[] }>;
    };
    expect(state.jobs.a?.steps.map(({ result }) => result)).toEqual([
      ...["success", "success", "success", "failure", "skipped", "success", "success"],
    ]);
    expect(existsSync(path.join(done.folder, "jobs/a/workspace"))).toBe(true);
  });

  it("are ended with all that they started when they take too long", async () => {
    await project.commit({
      image: oneJob(`      - { timeout-minutes: 0.005, run: "sleep 60 & echo $! > ../pid; wait" }\n`),
    });
    const done = await project.run();
    expect(done.failures).toEqual([
      'a: the step "Run sleep 60 & echo $! > ../pid; wait" was ended: it took longer than its timeout-minutes',
    ]);
    expect(markOf(Number(await jobFile(done, "a", "pid")))).toBeUndefined();
  });

  it("leave nothing in the background once the job has ended", async () => {
    await project.commit({
      image: oneJob(
        `      - { run: "sleep 60 > /dev/null 2>&1 & echo $! > ../pid" }\n      - { run: kill -0 "$(cat ../pid)" }\n`,
      ),
    });
    const done = await project.run();
    expect(done.result).toBe("success");
    expect(markOf(Number(await jobFile(done, "a", "pid")))).toBeUndefined();
  });

  it("hide what they mask, and what folds a secret into other signs", async () => {
    const step = `      - { name: hide, run: "echo ::add-mask::4711-0815; echo code 4711-0815; printf %s hunter2222 | base64" }\n`;
    await project.commit({ image: oneJob(step).replace("jobs:", "env: { T: '${{ secrets.DEMO_TOKEN }}' }\njobs:") });
    const text = await jobFile(await project.run(), "a", "01-hide.log");
    expect(text).not.toMatch(/4711|aHVudGVyMjIyM/);
    expect(text.split("\n")[0]).toBe("code [secret]");
  });
});

describe("jobs of a matrix", () => {
  const matrix = (strategy: string, script: string) =>
    `on: { push: { tags: ["image-v*"] } }\njobs:\n  m:\n    runs-on: ubuntu-latest\n    strategy: { ${strategy}, matrix: { n: [1, 2, 3] } }\n    steps: [{ run: '${script}' }]\n  end: { needs: m, if: always(), runs-on: ubuntu-latest, steps: [{ run: "test \${{ needs.m.result }} = failure" }] }\n`;

  it("are cancelled when one fails, and what says always() runs", async () => {
    await project.commit({
      image: matrix("fail-fast: true", "if [ ${{ matrix.n }} = 1 ]; then exit 1; else sleep 60; fi"),
    });
    expect(resultsOf(await project.run())).toEqual({
      "m (1)": "failure",
      "m (2)": "cancelled",
      "m (3)": "cancelled",
      end: "success",
    });
  });

  it("run no more at once than max-parallel", async () => {
    const script = "mkdir ../../busy; sleep 0.05; rmdir ../../busy; exit ${{ matrix.n == 3 }}".replace(
      "exit ${{ matrix.n == 3 }}",
      "test ${{ matrix.n }} != 3",
    );
    await project.commit({ image: matrix("fail-fast: false, max-parallel: 1", script) });
    expect(resultsOf(await project.run())).toEqual({
      "m (1)": "success",
      "m (2)": "success",
      "m (3)": "failure",
      end: "success",
    });
  });
});

describe("conditions of jobs", () => {
  const job = (id: string, more: string, script = "true") =>
    `  ${id}: { runs-on: ubuntu-latest, ${more}, steps: [{ run: "${script}" }] }\n`;

  it("look at all jobs above, and a failure that may be counts for none", async () => {
    const jobs = [
      job("a", "needs: []", "exit 1"),
      job("b", "needs: a, if: always()"),
      job("c", "needs: b"),
      job("d", "needs: b, if: failure()"),
      job("soft", "continue-on-error: true", "exit 1"),
      job("after", "needs: soft", "test ${{ needs.soft.result }} = success"),
    ];
    await project.commit({ image: `on: { push: { tags: ["image-v*"] } }\njobs:\n${jobs.join("")}` });
    const done = await project.run();
    expect(resultsOf(done)).toEqual({
      a: "failure",
      b: "success",
      c: "skipped",
      d: "success",
      soft: "failure",
      after: "success",
    });
    expect(done.failures).toEqual(['a: the step "Run exit 1" exited with 1']);
  });

  it("that cannot be worked out fail the job and say why", async () => {
    const matrix = `  m: { needs: a, runs-on: ubuntu-latest, strategy: { matrix: "\${{ fromJSON(needs.a.outputs.none) }}" }, steps: [{ run: "true" }] }\n`;
    await project.commit({ image: `on: { push: { tags: ["image-v*"] } }\njobs:\n${job("a", "needs: []")}${matrix}` });
    const done = await project.run();
    expect(done).toMatchObject({ result: "failure", failures: ["m: fromJSON() got an empty text"] });
  });

  it("of a step keep an action away that has no stand-in, which fails when its turn comes", async () => {
    const steps = `
      - { uses: azure/login@v3, if: "vars.AZURE != ''" }
      - { uses: azure/login@v3, if: "vars.MODE == 'quick'" }
`;
    const login = `  login: { if: "vars.APP != ''", runs-on: ubuntu-latest, steps: [{ uses: azure/login@v3 }] }\n`;
    await project.commit({ image: `${oneJob(steps)}${login}` });
    const done = await project.run();
    expect(resultsOf(done)).toEqual({ a: "failure", login: "skipped" });
    const [failure] = done.failures;
    expect(failure).toMatch(/^a: the step "azure\/login" .*jobs\.a\.steps\[1\] .*azure\/login has no stand-in/);
  });
});
