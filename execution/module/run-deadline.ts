import { interruption } from "../../toolchain/process.ts";
import { longTimeout } from "../long-timeout.ts";
import type { StopCause } from "./run-end.ts";

/** The container knows its deadline itself; only where it does not keep it, it is stopped from here. */
const MARGIN_MS = 2_000;
/** The last that RFC 3339 can write: years have four digits there. */
const LAST = Date.UTC(9999, 11, 31);

/** When a run is to stop, and why it was. */
export class RunDeadline {
  /** For the container: when it stops by itself. */
  readonly at: Date;
  /** Aborted by the caller, by Ctrl-C, or once the deadline is well over. */
  readonly signal: AbortSignal;
  readonly #over: AbortSignal;

  /** The earlier of a time from now and one that was asked for. */
  constructor(timeoutMs: number, asked: string | undefined, signal: AbortSignal | undefined) {
    const own = Math.min(Date.now() + timeoutMs, LAST);
    this.at = new Date(asked === undefined ? own : Math.min(own, Date.parse(asked)));
    this.#over = longTimeout(Math.max(0, this.at.getTime() - Date.now()) + MARGIN_MS);
    this.signal = AbortSignal.any([interruption.signal, this.#over, ...(signal === undefined ? [] : [signal])]);
  }

  /** Why the run was stopped from here. */
  get cause(): StopCause {
    if (!this.signal.aborted) return undefined;
    return this.signal.reason === this.#over.reason ? "deadline" : "cancelled";
  }
}
