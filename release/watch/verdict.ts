import type { VersionTags } from "./decision.ts";
import type { WatchPolicy } from "./policy.ts";
import type { UpstreamVersion } from "./upstream.ts";

/**
 * `release` and `promote` push tags. `done`: nothing is left to do. `building`, `proving`, `waiting`: later. `failed`: begun,
 * and no images came. `held`, `withdrawn`, `skipped`: not released, for that reason.
 */
export type Verdict =
  "release" | "promote" | "done" | "building" | "failed" | "proving" | "waiting" | "held" | "withdrawn" | "skipped";

/** What was found out about a version's images to try. */
export interface Finding {
  /** Of those that the policy asks for: `repository:tag`. */
  readonly missing: readonly string[];
  /** Why the registry did not say; nothing where it did. */
  readonly fault: string | undefined;
  /** When its tag was made, in milliseconds since 1970; nothing where the tag does not say. */
  readonly begun: number | undefined;
}

/** One version, with all that decides about it. */
export interface Case {
  readonly upstream: UpstreamVersion;
  readonly tags: VersionTags;
  readonly finding: Finding | undefined;
  /** How many versions this run may still begin. */
  readonly room: number;
  readonly now: number;
}

interface Answer {
  readonly verdict: Verdict;
  readonly reason: string;
}

const HOUR_MS = 3_600_000;

/** What becomes of a version. What speaks against it comes first, so that nothing withdrawn is promoted. Pure. */
export function verdictOf(one: Case, policy: WatchPolicy): Answer {
  return (
    unsuitable(one.upstream) ??
    (isDone(one, policy) ? { verdict: "done", reason: doneReason(one) } : undefined) ??
    refused(one.upstream, policy) ??
    (one.tags.dev === undefined ? begin(one, policy) : follow(one, policy))
  );
}

function unsuitable({ version, unfinished }: UpstreamVersion): Answer | undefined {
  if (version.prerelease.length > 0) return { verdict: "skipped", reason: "a pre-release" };
  return unfinished ? { verdict: "skipped", reason: "a draft or a pre-release, says its source" } : undefined;
}

/** In production, by whomever; `latest` alone may still be owed to a version that was tried. */
function isDone({ tags, finding }: Case, { promotion }: WatchPolicy): boolean {
  if (tags.version === undefined) return tags.dev === undefined && tags.latest !== undefined;
  return tags.latest !== undefined || tags.dev === undefined || promotion.kind === "by hand" || finding === undefined;
}

function doneReason({ tags }: Case): string {
  return `released by ${Object.values(tags).sort().join(", ")}`;
}

function refused({ version, withdrawn, knownTo }: UpstreamVersion, policy: WatchPolicy): Answer | undefined {
  const hold = policy.holds.find(({ versions }) => versions.includes(version));
  if (hold !== undefined) return { verdict: "held", reason: `${hold.versions.text}: ${hold.reason}` };
  if (withdrawn !== undefined) return { verdict: "withdrawn", reason: withdrawn };
  if (knownTo.length >= policy.confirmations) return undefined;
  const who = knownTo.length === 0 ? "no source knows it any more" : `only ${knownTo.join(" and ")} knows it`;
  return { verdict: "waiting", reason: `${who}, and ${policy.confirmations} have to` };
}

function begin({ upstream, room, now }: Case, policy: WatchPolicy): Answer {
  const { published } = upstream;
  if (published === undefined && policy.minimumAge > 0) {
    return { verdict: "waiting", reason: "no source says when it was published" };
  }
  const age = published === undefined ? Infinity : (now - published) / HOUR_MS;
  if (age < policy.minimumAge) {
    return { verdict: "waiting", reason: `${hours(age)} old, and ${policy.minimumAge} h are asked for` };
  }
  if (room <= 0) return { verdict: "waiting", reason: `one run begins ${policy.backfill}: the next one takes it` };
  return { verdict: "release", reason: `new: known to ${upstream.knownTo.join(" and ")}` };
}

/** A version that was begun: its images come, or did not come; production follows. */
function follow({ finding, now }: Case, policy: WatchPolicy): Answer {
  if (finding === undefined) return { verdict: "waiting", reason: "older than the versions that are looked up" };
  const { missing, fault, begun } = finding;
  if (fault !== undefined) return { verdict: "waiting", reason: `its images cannot be looked up: ${fault}` };
  const age = begun === undefined ? undefined : (now - begun) / HOUR_MS;
  const [first] = missing;
  if (first !== undefined) {
    const what = `${first}${missing.length === 1 ? "" : ` and ${missing.length - 1} more`}`;
    if (age === undefined || age < policy.patience) return { verdict: "building", reason: `${what} to come` };
    return { verdict: "failed", reason: `${what} did not come in ${hours(age)}` };
  }
  if (policy.promotion.kind === "by hand") return { verdict: "done", reason: "to try; production is by hand" };
  if (age === undefined) {
    return { verdict: "proving", reason: "its tag has no date: an annotated one would; release it by hand" };
  }
  if (age >= policy.promotion.hours) return { verdict: "promote", reason: `tried for ${hours(age)}` };
  return { verdict: "proving", reason: `tried for ${hours(age)}, and ${policy.promotion.hours} h are asked for` };
}

function hours(count: number): string {
  return `${Math.max(0, Math.floor(count))} h`;
}
