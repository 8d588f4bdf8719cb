import { KilnError } from "../../errors.ts";

/** A release of actions/runner, and the day on which GitHub published it. */
export interface RunnerRelease {
  /** Without a leading `v`, as `Runner.Listener --version` prints it. */
  readonly version: string;
  /** `YYYY-MM-DD`. */
  readonly released: string;
}

/** Days after its release from which a runner shall be rebuilt, and from which GitHub gives it no job any more. */
export const REBUILD_AFTER_DAYS = 20;
export const REFUSED_AFTER_DAYS = 30;

/** The labels in which a runner image records the release below it. */
export const RELEASE_LABELS = { version: "dev.kiln.runner.version", released: "dev.kiln.runner.released" } as const;

/** How old a runner is: `days` since its release, `message` for people where something is to be done. */
export type Freshness =
  | { readonly kind: "fresh"; readonly days: number }
  | { readonly kind: "aging" | "refused"; readonly days: number; readonly message: string }
  | { readonly kind: "unknown"; readonly message: string };

const DAY_MS = 86_400_000;

/**
 * How fresh a runner is. Scale sets register with updates switched off, so a runner in an image stays as old as it is, and
 * GitHub refuses releases of more than 30 days: the whole scale set then stops. Throws a usage error for a date of the future.
 */
export function freshnessOf(release: RunnerRelease | undefined, now: Date): Freshness {
  if (release === undefined) return { kind: "unknown", message: UNKNOWN };
  const days = daysSince(release, now);
  if (days < REBUILD_AFTER_DAYS) return { kind: "fresh", days };
  const age = `runner ${release.version} was released ${days} days ago, on ${release.released}`;
  if (days >= REFUSED_AFTER_DAYS) {
    return {
      kind: "refused",
      days,
      message: `${age}: GitHub gives runners older than ${REFUSED_AFTER_DAYS} days no job`,
    };
  }
  const left = REFUSED_AFTER_DAYS - days;
  return {
    kind: "aging",
    days,
    message: `${age}: GitHub refuses it in ${left} ${left === 1 ? "day" : "days"}. ${MEND}`,
  };
}

/**
 * What a preview says of a runner's age, or nothing where it is fresh. Throws a usage error that names `at`, the place where
 * the release is written, for a runner that GitHub refuses.
 */
export function freshnessWarning(release: RunnerRelease | undefined, now: Date, at: string): string | undefined {
  const freshness = freshnessOf(release, now);
  if (freshness.kind === "fresh") return undefined;
  if (freshness.kind !== "refused") return `${at}: ${freshness.message}`;
  throw new KilnError("usage", `${at}: ${freshness.message}`, { mend: MEND });
}

/** The release that an image's labels record; undefined where they say none, or nothing that is one. */
export function releaseOfLabels(labels: Readonly<Record<string, string>>): RunnerRelease | undefined {
  const { [RELEASE_LABELS.version]: version = "", [RELEASE_LABELS.released]: released = "" } = labels;
  return VERSION.test(version) && timeOf(released) !== undefined ? { version, released } : undefined;
}

const VERSION = /^\d+\.\d+\.\d+$/;

const MEND =
  "Rebuild images/actions-runner from a newer runner release (https://github.com/actions/runner/releases): raise its " +
  "version, its date and the image below it together";

const UNKNOWN =
  "the age of the runner is not known, and GitHub refuses runners older than 30 days. Record its version and the day of " +
  "its release, as https://github.com/actions/runner/releases shows them, or build images/actions-runner with " +
  "RUNNER_VERSION and RUNNER_RELEASED";

function daysSince({ version, released }: RunnerRelease, now: Date): number {
  const time = timeOf(released);
  if (time === undefined) {
    throw new KilnError("usage", `runner ${version} was released on ${JSON.stringify(released)}, which is no day`, {
      mend: "Write year, month and day, such as 2026-09-15",
    });
  }
  const days = Math.floor((now.getTime() - time) / DAY_MS);
  // GitHub shows dates in the reader's time zone, where a day may begin 14 hours before it does in UTC.
  if (days >= -1) return Math.max(0, days);
  throw new KilnError("usage", `runner ${version} was released on ${released}, which is ${-days} days from now`, {
    mend: "Write the day on which GitHub published that release, and look whether this machine's clock is right",
  });
}

/** The first moment of a day in UTC; undefined for a text that is no day of the calendar, such as 2026-02-30. */
function timeOf(day: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) return undefined;
  const time = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(day) ? time : undefined;
}

/** The second, counted from 1970, from which a release is `days` old: what alert rules compare the time with. */
export function secondOfAge({ released }: RunnerRelease, days: number): number | undefined {
  const time = timeOf(released);
  return time === undefined ? undefined : (time + days * DAY_MS) / 1000;
}
