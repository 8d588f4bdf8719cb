import { describe, expect, it } from "vitest";
import { parseWorkflow } from "../../../../release/workflow/document.ts";
import {
  combinedOutputs,
  combinedResult,
  inOrder,
  instancesOf,
  statusAfter,
} from "../../../../release/workflow/jobs.ts";

const jobsOf = (needs: Readonly<Record<string, readonly string[]>>) => {
  const jobs = Object.entries(needs).map(
    ([id, ids]) => `  ${id}: { needs: [${ids.join(", ")}], runs-on: ubuntu-latest, steps: [{ run: "true" }] }`,
  );
  return parseWorkflow(`on: push\njobs:\n${jobs.join("\n")}\n`, "w.yml").jobs;
};

describe("order", () => {
  it("puts each job after all that it needs, else as the file has it", () => {
    const jobs = jobsOf({ compose: ["warm", "plan"], warm: ["plan"], plan: [], lint: [] });
    expect(inOrder(jobs).map(({ id }) => id)).toEqual(["plan", "warm", "compose", "lint"]);
  });

  it("refuses a circle and a job that is not there", () => {
    expect(() => inOrder(jobsOf({ a: ["b"], b: ["a"] }))).toThrow("w.yml: jobs.a waits for itself: a -> b -> a");
    expect(() => inOrder(jobsOf({ a: ["b"] }))).toThrow("w.yml: jobs.a needs b, which is no job of this workflow");
  });
});

describe("instances", () => {
  const [job] = jobsOf({ warm: [] });
  it("is the job itself without a matrix, and one a combination with it", () => {
    if (job === undefined) throw new Error("no job");
    expect(instancesOf(job, "release / ", undefined)).toEqual([
      { key: "release / warm", matrix: {}, index: 0, total: 1 },
    ]);
    const include = [{ shard: "aws" }, { shard: "gcp" }, { shard: "aws" }];
    const keys = instancesOf(job, "", { include }).map(({ key }) => key);
    expect(keys).toEqual(["warm (aws)", "warm (gcp)", "warm (aws) #2"]);
  });
});

describe("results", () => {
  it.each([
    [[], false, { success: true, failure: false, cancelled: false }],
    [["success", "success"], false, { success: true, failure: false, cancelled: false }],
    [["success", "skipped"], false, { success: false, failure: false, cancelled: false }],
    [["failure", "success"], false, { success: false, failure: true, cancelled: false }],
    [["cancelled"], false, { success: false, failure: false, cancelled: true }],
    [["success"], true, { success: false, failure: false, cancelled: true }],
  ] as const)("after %j, stopped %s", (above, stopped, expected) => {
    expect(statusAfter(above, stopped)).toEqual(expected);
  });

  it.each([
    [[], "success"],
    [["success", "skipped"], "success"],
    [["skipped", "skipped"], "skipped"],
    [["success", "cancelled"], "cancelled"],
    [["cancelled", "failure"], "failure"],
  ] as const)("of %j is %s", (results, expected) => {
    expect(combinedResult(results)).toBe(expected);
  });

  it("takes the last instance's output that is not empty", () => {
    expect(
      combinedOutputs([
        { a: "1", b: "2" },
        { a: "3", b: "" },
      ]),
    ).toEqual({ a: "3", b: "2" });
  });
});
