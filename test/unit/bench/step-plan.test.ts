import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planSteps } from "../../../bench/step-plan.ts";
import type { Method, Step } from "../../../bench/step.ts";

function step(id: string, method: Method, needs: Partial<Pick<Step<unknown>, "after" | "reads">> = {}): Step<unknown> {
  return { id, title: id, method, ...needs, run: () => Promise.resolve(id) };
}

const modules = step("modules", "common");
const job = step("published/job", "published", { after: [modules] });
const merge = step("published/merge", "published", { after: [job] });
const image = step("published/image", "published", { after: [merge] });
const bake = step("kiln/bake", "kiln", { after: [modules] });
const compare = step("kiln/compare", "kiln", { after: [bake], reads: [merge] });

const idsOf = (steps: readonly Step<unknown>[]) => steps.map(({ id }) => id);
const progressed = (done: readonly string[], standing: readonly string[] = done) => ({
  done: new Set(done),
  standing: new Set(standing),
});

describe("planSteps", () => {
  it("runs everything that is needed, each after what it needs, a method at a time", () => {
    expect(idsOf(planSteps([bake, image, compare], progressed([])))).toEqual([
      "modules",
      "published/job",
      "published/merge",
      "published/image",
      "kiln/bake",
      "kiln/compare",
    ]);
  });

  it("goes on after what is done", () => {
    expect(idsOf(planSteps([image], progressed(["modules", "published/job"])))).toEqual([
      "published/merge",
      "published/image",
    ]);
    expect(planSteps([image], progressed(["published/image"], []))).toEqual([]);
  });

  it("repeats what is done where its files are gone and are needed, and not where its result alone is", () => {
    const done = ["modules", "published/job", "published/merge", "kiln/bake"];
    expect(idsOf(planSteps([image], progressed(done, ["modules"])))).toEqual([
      "published/job",
      "published/merge",
      "published/image",
    ]);
    expect(idsOf(planSteps([compare], progressed(done, ["modules", "kiln/bake"])))).toEqual(["kiln/compare"]);
  });

  it("never runs a step before one that it needs, nor twice", () => {
    const all = [modules, job, merge, image, bake, compare];
    const subset = fc.subarray(idsOf(all));
    fc.assert(
      fc.property(fc.subarray(all), subset, subset, (wanted, done, standing) => {
        const plan = planSteps(wanted, progressed(done, standing));
        expect(new Set(plan).size).toBe(plan.length);
        for (const [index, { after = [], reads = [] }] of plan.entries()) {
          for (const earlier of [...after, ...reads]) {
            const isDone = done.includes(earlier.id);
            const ready = isDone && (reads.includes(earlier) || standing.includes(earlier.id));
            expect(ready || plan.slice(0, index).includes(earlier)).toBe(true);
          }
        }
      }),
    );
  });
});
