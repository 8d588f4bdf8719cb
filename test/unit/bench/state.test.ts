import { writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { readState, resumedState, soundSteps, STATE_FILE, withStep, writeState } from "../../../bench/state.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const record = (inputs: string) => ({ result: { seconds: 1 }, seconds: 1, inputs });

describe("the state of a work folder", () => {
  it("is found again as it was written", async () => {
    const work = await temporaryDirectory();
    const state = withStep(resumedState(undefined, "key", false), "kiln/bake", record("code"));
    await writeState(path.join(work, "new"), state);
    expect(await readState(path.join(work, "new"))).toEqual(state);
  });

  it("is nothing where there is no file, and where a file is not one", async () => {
    const work = await temporaryDirectory();
    expect(await readState(work)).toBeUndefined();
    for (const text of ["", "{", '{"version":2,"key":"k"}', '{"version":1}']) {
      await writeFile(path.join(work, STATE_FILE), text);
      expect(await readState(work)).toBeUndefined();
    }
  });

  it("is not lost to another comparison unless --fresh says so", () => {
    const earlier = withStep({ version: 1, key: "mine", steps: {} }, "modules", record(""));
    expect(resumedState(earlier, "mine", false)).toBe(earlier);
    expect(() => resumedState(earlier, "other", false)).toThrow(/comparison of other programs/);
    expect(resumedState(earlier, "other", true)).toEqual({ version: 1, key: "other", steps: {} });
    expect(resumedState(earlier, "mine", true).steps).toEqual({});
  });

  it("holds for steps whose inputs are those of now", () => {
    const empty = { version: 1, key: "k", steps: {} } as const;
    const state = withStep(withStep(empty, "published/merge", record("")), "kiln/bake", record("old code"));
    const inputsOf = (id: string) => (id.startsWith("kiln/") ? "new code" : "");
    expect([...soundSteps(state, inputsOf)]).toEqual(["published/merge"]);
    expect(soundSteps(withStep(state, "kiln/bake", record("new code")), inputsOf).size).toBe(2);
  });
});
