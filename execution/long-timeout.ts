/** The longest that a timer of Node waits: of a longer time it says a warning, and is over at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A signal that is aborted after some milliseconds, however many: `AbortSignal.timeout` for what takes months. Keeps no process alive. */
export function longTimeout(ms: number): AbortSignal {
  if (ms <= LONGEST_TIMER_MS) return AbortSignal.timeout(ms);
  const over = new AbortController();
  const end = performance.now() + ms;
  const wait = () => {
    const left = end - performance.now();
    if (left <= 0) over.abort(new DOMException("The operation was aborted due to timeout", "TimeoutError"));
    else setTimeout(wait, Math.min(left, LONGEST_TIMER_MS)).unref();
  };
  wait();
  return over.signal;
}
