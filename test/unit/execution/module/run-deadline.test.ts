import { setTimeout as sleep } from "node:timers/promises";
import { expect, it, onTestFinished, vi } from "vitest";
import { RunDeadline } from "../../../../execution/module/run-deadline.ts";

it.each([2 ** 31, 2 ** 32, 1e15, Infinity])("a time limit of %d ms is not over at once", async (ms) => {
  const deadline = new RunDeadline(ms, undefined, undefined);
  await sleep(20);
  expect(deadline.cause).toBeUndefined();
  // As the container reads it: RFC 3339 has four digits for a year.
  expect(deadline.at.toISOString()).toMatch(/^\d{4}-/);
});

it("a caller's signal, and a deadline that is over, say why they stopped it", async () => {
  const cancelling = new AbortController();
  const cancelled = new RunDeadline(2 ** 40, undefined, cancelling.signal);
  cancelling.abort();
  expect(cancelled.cause).toBe("cancelled");

  vi.useFakeTimers({ toFake: ["setTimeout", "performance", "Date"] });
  onTestFinished(() => void vi.useRealTimers());
  const month = 30 * 86_400_000;
  const over = new RunDeadline(2 ** 40, new Date(Date.now() + month).toISOString(), undefined);
  await vi.advanceTimersByTimeAsync(month);
  expect(over.cause).toBeUndefined();
  await vi.advanceTimersByTimeAsync(2_001);
  expect(over.cause).toBe("deadline");
});
