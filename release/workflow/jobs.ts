import { KilnError } from "../../errors.ts";
import type { Status } from "./functions.ts";
import type { Job } from "./job.ts";
import { expandMatrix, matrixLabel } from "./matrix.ts";
import type { Value, ValueMap } from "./value.ts";

/** How a job or a step ended, in GitHub's words. */
export type Result = "success" | "failure" | "cancelled" | "skipped";

/** One of the jobs that a matrix makes of a job; the job itself where it has none. */
export interface Instance {
  /** Such as `release / warm (aws)`: one of its kind in a run, and the same in the next. */
  readonly key: string;
  readonly matrix: ValueMap;
  readonly index: number;
  readonly total: number;
}

/** The jobs so that each comes after all that it needs, else in the order of the file. Refuses a circle and unknown names. */
export function inOrder(jobs: readonly Job[]): readonly Job[] {
  const byId = new Map(jobs.map((job) => [job.id, job]));
  const ordered = new Set<Job>();
  const visit = (job: Job, above: readonly string[]) => {
    if (ordered.has(job)) return;
    const circle = [...above, job.id];
    if (above.includes(job.id)) throw wrong(job, `waits for itself: ${circle.join(" -> ")}`);
    for (const need of job.needs) {
      const below = byId.get(need);
      if (below === undefined) throw wrong(job, `needs ${need}, which is no job of this workflow`);
      visit(below, circle);
    }
    ordered.add(job);
  };
  for (const job of jobs) visit(job, []);
  return [...ordered];
}

function wrong(job: Job, what: string): KilnError {
  return new KilnError("usage", `${job.where} ${what}`, { mend: "Mend its needs." });
}

/** The instances of a job below a prefix such as `release / `; `matrix` is undefined for a job without one. */
export function instancesOf(job: Job, prefix: string, matrix: Value | undefined): readonly Instance[] {
  const combinations = matrix === undefined ? [{}] : expandMatrix(matrix, `${job.where}.strategy.matrix`);
  const keys = combinations.map((combination) => `${prefix}${job.id}${matrixLabel(combination)}`);
  return combinations.map((combination, index) => {
    const key = keys[index] ?? "";
    // A matrix may hold a combination twice; GitHub runs both.
    const before = keys.slice(0, index).filter((one) => one === key).length;
    return {
      key: before === 0 ? key : `${key} #${before + 1}`,
      matrix: combination,
      index,
      total: combinations.length,
    };
  });
}

/** What the status functions say in a job's `if`: of all jobs above it, not of its needs alone, as GitHub does it. */
export function statusAfter(above: Iterable<Result>, cancelled: boolean): Status {
  const results = [...above];
  return {
    success: !cancelled && results.every((result) => result === "success"),
    failure: results.includes("failure"),
    cancelled: cancelled || results.includes("cancelled"),
  };
}

/** The result of all instances of a job, or of all jobs of a workflow. */
export function combinedResult(results: readonly Result[]): Result {
  if (results.includes("failure")) return "failure";
  if (results.includes("cancelled")) return "cancelled";
  return results.length > 0 && results.every((result) => result === "skipped") ? "skipped" : "success";
}

/** Outputs of all instances: of an output that several set, the last in the order of the matrix counts. */
export function combinedOutputs(all: readonly Readonly<Record<string, string>>[]): Readonly<Record<string, string>> {
  return Object.assign(
    {},
    ...all.map((one) => Object.fromEntries(Object.entries(one).filter(([, value]) => value !== ""))),
  ) as Record<string, string>;
}
