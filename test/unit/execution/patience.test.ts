import { expect, it } from "vitest";
import { patiently } from "../../../execution/patience.ts";

/** Tries a work that fails so many times, and says how long its pauses were. */
async function tried(failures: number, { withinMs = 10_000, final = false } = {}) {
  const pauses: number[] = [];
  let calls = 0;
  const clock = {
    now: () => pauses.reduce((sum, pause) => sum + pause, 0),
    sleep: async (ms: number) => Promise.resolve(void pauses.push(ms)),
  };
  const work = async () => {
    calls++;
    return calls > failures ? Promise.resolve("done") : Promise.reject(new Error(`failure ${calls}`));
  };
  const result = await patiently(work, { clock, withinMs, isFinal: () => final }).catch((error: unknown) => error);
  return { result, pauses, calls };
}

it("what works at once has no pause", async () => {
  expect(await tried(0)).toEqual({ result: "done", pauses: [], calls: 1 });
});

it("pauses double, up to a quarter of a minute", async () => {
  const { result, pauses } = await tried(7, { withinMs: 60_000 });
  expect(result).toBe("done");
  expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
});

it("after its time the last error is thrown, never before", async () => {
  const { result, pauses } = await tried(Infinity);
  expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 8_000]);
  expect(result).toEqual(new Error("failure 6"));
});

it("what no later try can mend is thrown at once", async () => {
  expect(await tried(Infinity, { final: true })).toMatchObject({ calls: 1, pauses: [] });
});
