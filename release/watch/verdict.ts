import type { RunnerChannel } from "../runner-tag.ts";
import type { Finding } from "./finding.ts";
import type { WatchPolicy } from "./policy.ts";
import type { UpstreamVersion } from "./upstream.ts";

/**
 * `release`, `promote` and `retry` push tags. `done`: nothing is left to do. `building`, `proving`, `waiting`: later. `failed`:
 * begun or in production, and no images came. `held`, `withdrawn`, `skipped`: not released, for that reason.
 */
export type Verdict =
  | ("release" | "promote" | "retry" | "done" | "building" | "failed")
  | ("proving" | "waiting" | "held" | "withdrawn" | "skipped");

/** The names of the tags that one version has, by channel. */
export type VersionTags = Readonly<Partial<Record<RunnerChannel, string>>>;

/** One version, with all that decides about it. */
export interface Case {
  readonly upstream: UpstreamVersion;
  readonly tags: VersionTags;
  /** What was found out about those of its tags that were looked up. */
  readonly findings: Readonly<Partial<Record<RunnerChannel, Finding>>>;
  /** Whether `latest` is to name it, and no tag of it says so yet. */
  readonly owesLatest: boolean;
  /** The sources that did not answer, and so may have withdrawn it; nothing where all did. */
  readonly unheard: string | undefined;
  /** How many versions this run may still begin. */
  readonly room: number;
  readonly now: number;
}

/** A verdict, and the channels whose tags are pushed again. */
export interface Answer {
  readonly verdict: Verdict;
  readonly reason: string;
  readonly again?: readonly RunnerChannel[];
}

const HOUR_MS = 3_600_000;

/** What becomes of a version. What speaks against it comes first, so that nothing withdrawn is promoted. Pure. */
export function verdictOf(one: Case, policy: WatchPolicy): Answer {
  return (
    unsuitable(one.upstream) ??
    (isReleased(one, policy) ? followRelease(one, policy) : undefined) ??
    refused(one.upstream, policy) ??
    (one.tags.dev === undefined ? begin(one, policy) : follow(one, policy))
  );
}

function unsuitable({ version, unfinished }: UpstreamVersion): Answer | undefined {
  if (version.prerelease.length > 0) return { verdict: "skipped", reason: "a pre-release" };
  return unfinished ? { verdict: "skipped", reason: "a draft or a pre-release, says its source" } : undefined;
}

/** Whether all tags of a version are there, by whomever; `latest` alone may still be owed to a version that was tried. */
function isReleased({ tags, findings, owesLatest }: Case, { promotion }: WatchPolicy): boolean {
  if (tags.version === undefined) return tags.dev === undefined && tags.latest !== undefined;
  return !owesLatest || tags.dev === undefined || promotion.kind === "by hand" || findings.dev === undefined;
}

/** A version whose tags are all there: a tag that made no images is no release. */
function followRelease(one: Case, policy: WatchPolicy): Answer {
  const { upstream, tags, findings, unheard } = one;
  const against = refused(upstream, policy)?.reason ?? (unheard === undefined ? undefined : unsaid(unheard));
  const open = (["version", "latest"] as const).flatMap((channel) => arrival(channel, one, { policy, against }) ?? []);
  // What is to be looked at comes before what is done about it, and that before what is on its way.
  const [first] = (["failed", "retry", "building"] as const).flatMap((verdict) =>
    open.filter((answer) => answer.verdict === verdict),
  );
  if (first !== undefined) return { ...first, again: open.flatMap(({ again = [] }) => again) };
  const fault = findings.version?.fault ?? findings.latest?.fault;
  const reason = `released by ${Object.values(tags).sort().join(", ")}`;
  return {
    verdict: "done",
    reason: fault === undefined ? reason : `${reason}; whether its images are there: ${fault}`,
  };
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
function follow(one: Case, policy: WatchPolicy): Answer {
  const { unheard, now } = one;
  const finding = one.findings.dev;
  if (finding === undefined) return { verdict: "waiting", reason: "older than the versions that are looked up" };
  const { fault, begun, since } = finding;
  if (fault !== undefined) return { verdict: "waiting", reason: `its images cannot be looked up: ${fault}` };
  const open = arrival("dev", one, { policy, against: undefined });
  if (open !== undefined) return open;
  if (policy.promotion.kind === "by hand") return { verdict: "done", reason: "to try; production is by hand" };
  if (since === undefined) return { verdict: "proving", reason: "nobody says since when its images are there" };
  // Images that were there before their tag was pushed anew are tried anew.
  const age = (now - Math.max(since, begun ?? since)) / HOUR_MS;
  if (age < policy.promotion.hours) {
    return { verdict: "proving", reason: `tried for ${hours(age)}, and ${policy.promotion.hours} h are asked for` };
  }
  if (unheard !== undefined) return { verdict: "waiting", reason: `tried for ${hours(age)}, but ${unsaid(unheard)}` };
  return { verdict: "promote", reason: `tried for ${hours(age)}` };
}

/**
 * What becomes of a tag whose images are not all there; nothing where they are, or where nobody knows. The watcher pushes again
 * what it pushed itself, a few times, unless something speaks `against` it. A tag without a date is never late.
 */
function arrival(
  channel: RunnerChannel,
  { findings, tags, now }: Case,
  { policy, against }: { readonly policy: WatchPolicy; readonly against: string | undefined },
): Answer | undefined {
  const finding = findings[channel];
  const [first] = finding?.missing ?? [];
  if (finding === undefined || first === undefined) return undefined;
  const { missing, begun, attempt } = finding;
  const what = `${tags[channel] ?? ""}: ${first}${missing.length === 1 ? "" : ` and ${missing.length - 1} more`}`;
  const age = begun === undefined ? 0 : (now - begun) / HOUR_MS;
  // In production reviewers are asked first (docs/watch.md).
  if (age < (channel === "dev" ? policy.patience : policy.productionPatience))
    return { verdict: "building", reason: `${what} to come` };
  const late = `${what} did not come in ${hours(age)}`;
  if (attempt === undefined) return { verdict: "failed", reason: late };
  const all = policy.retries + 1;
  if (attempt >= all) return { verdict: "failed", reason: attempt === 1 ? late : `${late}, at attempt ${attempt}` };
  if (against !== undefined) return { verdict: "failed", reason: `${late}; not pushed again: ${against}` };
  return { verdict: "retry", reason: `${late}; attempt ${attempt + 1} of ${all}`, again: [channel] };
}

function unsaid(sources: string): string {
  return `${sources} did not say whether it is withdrawn`;
}

function hours(count: number): string {
  return `${Math.max(0, Math.floor(count))} h`;
}
