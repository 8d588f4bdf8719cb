import { setTimeout as wait } from "node:timers/promises";

/** Time as who waits sees it: tests have one of their own. */
export interface Clock {
  /** Milliseconds from some moment on. */
  now(): number;
  sleep(ms: number): Promise<void>;
}

export const systemClock: Clock = { now: () => performance.now(), sleep: (ms) => wait(ms) };

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;

/**
 * Does something until it works, with pauses that double. Throws what it threw once `withinMs` are over since the first
 * failure, or at once where `isFinal` says that no later try can do better.
 */
export async function patiently<T>(
  work: () => Promise<T>,
  {
    clock,
    withinMs,
    isFinal,
  }: { readonly clock: Clock; readonly withinMs: number; readonly isFinal: (error: unknown) => boolean },
): Promise<T> {
  let limit: number | undefined;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      return await work();
    } catch (error) {
      limit ??= clock.now() + withinMs;
      if (isFinal(error) || clock.now() >= limit) throw error;
    }
    await clock.sleep(pause);
  }
}
