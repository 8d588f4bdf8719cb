import { interruption } from "../../toolchain/process.ts";
import { longTimeout } from "../long-timeout.ts";
import type { StopCause } from "./final-result.ts";
import { outerSeconds, type JobTimeouts } from "./timeouts.ts";

/** When a job is stopped from outside, and why it was: cancelled, or well over the time that its entrypoint should keep. */
export class JobDeadline {
  readonly signal: AbortSignal;
  readonly #over: AbortSignal;

  constructor(timeouts: JobTimeouts, signal: AbortSignal | undefined) {
    this.#over = longTimeout(outerSeconds(timeouts) * 1000);
    this.signal = AbortSignal.any([interruption.signal, this.#over, ...(signal === undefined ? [] : [signal])]);
  }

  /** Why it was stopped from here; undefined where it was not. */
  get cause(): StopCause {
    if (!this.signal.aborted) return undefined;
    return this.signal.reason === this.#over.reason ? "deadline" : "canceled";
  }
}
