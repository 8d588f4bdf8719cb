import { describe, expect, it } from "vitest";
import { planText, releaseRunCommand, releaseText } from "../../../../cli/release/run.ts";
import { silent } from "../../../../progress.ts";
import type { ReleaseRun } from "../../../../release/workflow/release-run.ts";

const bar = (from: number, to: number) => `${"·".repeat(from)}${"█".repeat(to - from)}${"·".repeat(40 - to)}`;
const RUN: ReleaseRun = {
  ...{
    tag: "v1.2.3",
    commit: "0123456789abcdef",
    workflow: "image.yml",
    inputs: {},
    attempt: 2,
    folder: "/kiln/v1.2.3",
  },
  result: "failure",
  outputs: { "compose.digest": "sha256:12" },
  failures: ['warm aws: the step "Warm" exited with 1'],
  timeline: {
    rows: [
      { title: "plan", result: "success", recalled: true, seconds: 3, bar: "" },
      {
        title: "warm aws",
        result: "failure",
        recalled: false,
        start: 0,
        seconds: 70,
        bar: bar(0, 40),
        bytes: { read: 1200, written: 3_400_000 },
      },
      { title: "compose", result: "skipped", recalled: false, bar: "" },
    ],
    criticalPath: [{ title: "warm aws", seconds: 70 }],
    ...{ seconds: 75, waited: 5 },
  },
  sharedBytes: { read: 500, written: 0 },
};

describe("kiln release run", () => {
  it("prints the timeline, the critical path, the bytes and what failed", () => {
    expect(releaseText(RUN)).toBe(
      [
        "job              start  took    result       read    written",
        "plan                    3s      done before",
        `warm aws         +0s    1m 10s  failure      1.2 kB  3.4 MB   ${bar(0, 40)}`,
        "compose                         skipped",
        "several at once                              500 B   0 B",
        "",
        "critical path  warm aws 1m 10s",
        "total          1m 15s, of which 5s waiting for room",
        "output         compose.digest: sha256:12",
        'failed         warm aws: the step "Warm" exited with 1',
        "failure: image.yml for v1.2.3 (0123456789ab), run 2; logs in /kiln/v1.2.3",
        "The same command repeats what failed or never ran; --fresh repeats everything.",
      ].join("\n"),
    );
  });

  it("says so where nothing counted bytes", () => {
    const { sharedBytes, timeline, ...rest } = RUN;
    expect(sharedBytes).toBeDefined();
    const rows = timeline.rows.filter(({ bytes }) => bytes === undefined);
    const text = releaseText({ ...rest, result: "success", failures: [], timeline: { ...timeline, rows } });
    expect(text).toContain("bytes moved    not counted: the loopback registry wrote no access log");
    expect(text).not.toContain("written");
    expect(text.split("\n").at(-1)).toBe("done: image.yml for v1.2.3 (0123456789ab), run 2; logs in /kiln/v1.2.3");
  });

  it("prints what it would do", () => {
    const jobs = [
      { key: "release", needs: [], runsOn: [], calls: "build.yml", steps: [] },
      {
        ...{
          key: "release / warm",
          needs: ["release / plan"],
          runsOn: ["lane-0"],
          if: "always()",
          matrix: ["warm (a)", "warm (b)"],
        },
        steps: [
          { title: "actions/checkout", does: "clone" },
          { title: "Run make", does: "make" },
          { title: "Warm", does: "npx kiln", if: "failure()" },
        ],
      },
    ];
    expect(planText(RUN, jobs)).toBe(
      [
        "image.yml for v1.2.3 at 0123456789ab",
        "",
        "release  (calls build.yml)",
        "",
        "release / warm  (on lane-0; after release / plan; if always())",
        "  matrix: warm (a), warm (b)",
        "  1. actions/checkout: clone",
        "  2. make",
        "  3. Warm: npx kiln  (if failure())",
      ].join("\n"),
    );
  });

  it.each([
    [{}, /--tag is missing/],
    [{ tag: "v1", input: ["a"] }, /--input a is no NAME=VALUE/],
    [{ tag: "v1", jobs: "0" }, /--jobs 0 is no number of jobs/],
    [{ tag: "v1 --upload-pack=x" }, /this checkout has no tag v1 --upload-pack=x/],
    [{ tag: "-v1" }, /this checkout has no tag -v1/],
  ])("refuses %j", async (values, message) => {
    await expect(releaseRunCommand.run({ values, positionals: [], progress: silent })).rejects.toThrow(message);
  });
});
