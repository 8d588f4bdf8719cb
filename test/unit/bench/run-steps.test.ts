import { describe, expect, it } from "vitest";
import { runSteps, type RunOptions } from "../../../bench/run-steps.ts";
import { readState } from "../../../bench/state.ts";
import type { Step } from "../../../bench/step.ts";
import { KilnError } from "../../../errors.ts";
import { silent } from "../../../progress.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

/** Steps of which the middle one does what it is told, and a record of what ran. */
function threeSteps(middle: () => Promise<number> = () => Promise.resolve(2)) {
  const ran: string[] = [];
  const first: Step<number> = { id: "a/1", title: "", method: "published", run: () => note("a/1", 1) };
  const second: Step<number> = {
    ...{ id: "a/2", title: "", method: "published", after: [first] },
    run: async ({ result }) => result(first) + (await note("a/2", await middle())),
  };
  const third: Step<number> = {
    ...{ id: "b/3", title: "", method: "kiln", after: [first] },
    run: ({ result }) => note("b/3", result(first) + 10),
  };
  return { ran, first, second, third };

  function note<T>(id: string, value: T): Promise<T> {
    ran.push(id);
    return Promise.resolve(value);
  }
}

async function optionsFor(wanted: readonly Step<unknown>[], work?: string) {
  const cleaned: string[] = [];
  const folder = work ?? (await temporaryDirectory());
  const options = {
    context: { work: folder, progress: silent } as unknown as RunOptions["context"],
    wanted,
    state: (await readState(folder)) ?? { version: 1 as const, key: "k", steps: {} },
    inputsOf: () => "",
    clean: (_: unknown, method: string, failed: boolean) => {
      cleaned.push(`${method} ${failed ? "failed" : "well"}`);
      return Promise.resolve();
    },
  };
  return { options, cleaned, folder };
}

describe("runSteps", () => {
  it("gives each step what earlier ones found, and cleans up after each method", async () => {
    const { ran, second, third } = threeSteps();
    const { options, cleaned } = await optionsFor([second, third]);
    const { result } = await runSteps(options);
    expect(ran).toEqual(["a/1", "a/2", "b/3"]);
    expect([result(second), result(third)]).toEqual([3, 11]);
    expect(cleaned).toEqual(["published well", "kiln well"]);
  });

  it("goes on with steps that do not need one that failed, and with the rest in the next run", async () => {
    const broken = threeSteps(() => Promise.reject(new Error("disk full")));
    const { options, cleaned, folder } = await optionsFor([broken.second, broken.third]);
    const { result, maybe } = await runSteps(options);
    expect(result(broken.third)).toBe(11);
    expect(() => result(broken.second)).toThrow("disk full");
    expect(maybe(broken.second)).toBeUndefined();
    expect(cleaned).toEqual(["published failed", "kiln well"]);

    const mended = threeSteps();
    const again = await optionsFor([mended.second, mended.third], folder);
    expect((await runSteps(again.options)).result(mended.second)).toBe(3);
    expect(mended.ran).toEqual(["a/2"]);
  });

  it("fails what needs a step that failed, with that step's reason", async () => {
    const { first, second, ran } = threeSteps();
    const failing: Step<number> = { ...first, run: () => Promise.reject(new Error("no network")) };
    const { options } = await optionsFor([{ ...second, after: [failing] }]);
    const { result } = await runSteps(options);
    expect(() => result(second)).toThrow("a/1 failed: no network");
    expect(ran).toEqual([]);
  });

  it("ends at once where it is interrupted, with what is done on disk", async () => {
    const { second } = threeSteps(() => Promise.reject(new KilnError("interrupted", "interrupted")));
    const { options, folder } = await optionsFor([second]);
    await expect(runSteps(options)).rejects.toMatchObject({ kind: "interrupted" });
    expect(Object.keys((await readState(folder))?.steps ?? {})).toEqual(["a/1"]);
  });

  it("repeats a step whose files are gone and are needed", async () => {
    const before = threeSteps();
    const { options, folder } = await optionsFor([before.first]);
    await runSteps(options);
    const after = threeSteps();
    const gone: Step<number> = { ...after.first, standing: () => Promise.resolve(false) };
    const again = await optionsFor([{ ...after.third, after: [gone] }], folder);
    await runSteps(again.options);
    expect(after.ran).toEqual(["a/1", "b/3"]);
  });
});
