import { setTimeout as sleep } from "node:timers/promises";

export interface BackgroundLoop {
  /** Ends after the round that runs. Throws what a round threw. */
  stop(): Promise<void>;
}

/** Does the same again and again until it is stopped. */
export function startLoop(round: () => Promise<void>, pauseMs: number): BackgroundLoop {
  const end = new AbortController();
  const running = (async () => {
    while (!end.signal.aborted) {
      await round();
      await sleep(pauseMs, undefined, { signal: end.signal }).catch(() => undefined);
    }
  })();
  // A failure is told by `stop`, not by the loss of the whole test run.
  running.catch(() => undefined);
  return {
    stop() {
      end.abort();
      return running;
    },
  };
}
