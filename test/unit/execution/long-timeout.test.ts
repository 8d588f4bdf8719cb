import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { longTimeout, LONGEST_TIMER_MS } from "../../../execution/long-timeout.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it.each([2 ** 31, 2 ** 32 + 5, 90 * 86_400_000])("%d ms are over then, and not at once", async (ms) => {
  const signal = longTimeout(ms);
  await vi.advanceTimersByTimeAsync(ms - 1);
  expect(signal.aborted).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(signal.aborted).toBe(true);
  expect(signal.reason).toMatchObject({ name: "TimeoutError" });
});

it("never is over never", async () => {
  const signal = longTimeout(Infinity);
  await vi.advanceTimersByTimeAsync(3 * LONGEST_TIMER_MS);
  expect(signal.aborted).toBe(false);
});
