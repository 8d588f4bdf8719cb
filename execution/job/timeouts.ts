import { KilnError } from "../../errors.ts";
import { amount, may, type Place } from "../module/document.ts";

/** Seconds. */
export interface JobTimeouts {
  /** What the script may run. */
  readonly script?: number;
  /** How long it may say nothing. */
  readonly idle?: number;
  /** The whole job: fetching, script, artifacts. */
  readonly job: number;
  /** Between SIGTERM and SIGKILL of the script's processes. */
  readonly grace: number;
  /** Kept for artifacts and the result. */
  readonly finish: number;
}

export const DEFAULT_TIMEOUTS: JobTimeouts = { job: 3600, grace: 10, finish: 10 };
/** Less than 25 days: what a timer can count. */
const LONGEST = 24 * 86_400;
/** What starting and ending a container may take beside. */
const MARGIN = 15;

/** The timeouts of a document, the absent ones by default. */
export function timeoutsAt(place: Place): JobTimeouts {
  return checkedTimeouts({
    ...DEFAULT_TIMEOUTS,
    ...may(place, "script", amount),
    ...may(place, "idle", amount),
    ...may(place, "job", amount),
    ...may(place, "grace", amount),
    ...may(place, "finish", amount),
  });
}

/** The same timeouts. Throws a usage error on one that is no time. */
export function checkedTimeouts(timeouts: JobTimeouts): JobTimeouts {
  for (const [name, seconds] of Object.entries(timeouts) as readonly [keyof JobTimeouts, number][]) {
    const least = name === "grace" || name === "finish" ? 0 : 0.001;
    if (seconds >= least && seconds <= LONGEST) continue;
    throw new KilnError("usage", `the ${name} timeout of ${seconds} s is no time`, {
      mend: "Write such as 90s, 30m or 2h, up to 24 days.",
    });
  }
  return timeouts;
}

/** Seconds between SIGTERM and SIGKILL of the container: the entrypoint ends the script, then collects. */
export function stopSeconds({ grace, finish }: JobTimeouts): number {
  return Math.ceil(grace + finish + 5);
}

/** Seconds after which a container that did not end by itself is stopped from outside. */
export function outerSeconds({ job }: JobTimeouts): number {
  return Math.ceil(job + MARGIN);
}
