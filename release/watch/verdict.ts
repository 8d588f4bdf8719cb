import type { RunnerChannel } from "../runner-tag.ts";
import type { Finding } from "./finding.ts";
import { patienceOf, youthOf } from "./patience.ts";
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
  /** The kinds of sources that answered. */
  readonly heard: readonly string[];
  /** The sources that did not answer, and so may have withdrawn it; nothing where all did. */
  readonly unheard: string | undefined;
  /** How many versions this run may still begin, or push again. */
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
  const { tags, findings } = one;
  const open = (["version", "latest"] as const).flatMap((channel) => arrival(channel, one, policy) ?? []);
  // What is to be looked at comes before what is done about it, and that before what is on its way.
  const [first] = (["failed", "held", "withdrawn", "retry", "waiting", "building"] as const).flatMap((verdict) =>
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
  const young = youngness(upstream, now, policy);
  if (young !== undefined) return { verdict: "waiting", reason: young };
  if (room <= 0) return { verdict: "waiting", reason: nextRun(policy) };
  return { verdict: "release", reason: `new: known to ${upstream.knownTo.join(" and ")}` };
}

/**
 * Why a version is too young, or may be; nothing where it is old enough. It is published once as many sources say so as have to
 * know it: by the earliest of all times a single one that lies would make any version old.
 */
function youngness(
  { published }: UpstreamVersion,
  now: number,
  { minimumAge, confirmations }: WatchPolicy,
): string | undefined {
  if (minimumAge === 0) return undefined;
  const since = [...published.values()].sort((a, b) => a - b)[confirmations - 1];
  if (since === undefined) {
    const [who, say] = [[...published.keys()].join(" and "), published.size === 1 ? "says" : "say"];
    return `${who === "" ? "no source says" : `only ${who} ${say}`} when it was published, and ${confirmations} have to`;
  }
  const age = (now - since) / HOUR_MS;
  return age < minimumAge ? `${hours(age)} old, and ${minimumAge} h are asked for` : undefined;
}

/** A version that was begun: its images come, or did not come; production follows. */
function follow(one: Case, policy: WatchPolicy): Answer {
  const { now } = one;
  const finding = one.findings.dev;
  if (finding === undefined) return { verdict: "waiting", reason: "older than the versions that are looked up" };
  const { fault, begun, since } = finding;
  if (fault !== undefined) return { verdict: "waiting", reason: `its images cannot be looked up: ${fault}` };
  const open = arrival("dev", one, policy);
  if (open !== undefined) return open;
  if (policy.promotion.kind === "by hand") return { verdict: "done", reason: "to try; production is by hand" };
  if (since === undefined) return { verdict: "proving", reason: "nobody says since when its images are there" };
  // Images that were there before their tag was pushed anew are tried anew.
  const age = (now - Math.max(since, begun ?? since)) / HOUR_MS;
  if (age < policy.promotion.hours) {
    return { verdict: "proving", reason: `tried for ${hours(age)}, and ${policy.promotion.hours} h are asked for` };
  }
  const unsure = doubt(one);
  if (unsure !== undefined) return { verdict: "waiting", reason: `tried for ${hours(age)}, but ${unsure}` };
  return { verdict: "promote", reason: `tried for ${hours(age)}` };
}

/**
 * What becomes of a tag whose images are not all there; nothing where they are, or where nobody knows. The watcher pushes again
 * what it pushed itself, a few times and while the tag is young, unless something speaks against it. A tag without a date is
 * never late.
 */
function arrival(channel: RunnerChannel, one: Case, policy: WatchPolicy): Answer | undefined {
  const finding = one.findings[channel];
  const [first] = finding?.missing ?? [];
  if (finding === undefined || first === undefined) return undefined;
  const { missing, begun, attempt } = finding;
  const what = `${one.tags[channel] ?? ""}: ${first}${missing.length === 1 ? "" : ` and ${missing.length - 1} more`}`;
  const age = begun === undefined ? 0 : (one.now - begun) / HOUR_MS;
  if (age < patienceOf(channel, policy)) return { verdict: "building", reason: `${what} to come` };
  const late = `${what} did not come in ${hours(age)}`;
  const refusal = refused(one.upstream, policy);
  // A hold or a withdrawal says what a person would: nobody waits for these images.
  if (refusal !== undefined && refusal.verdict !== "waiting") {
    return { verdict: refusal.verdict, reason: `${late}; not pushed again: ${refusal.reason}` };
  }
  const all = policy.retries + 1;
  if (attempt === undefined) return { verdict: "failed", reason: late };
  if (attempt >= all) return { verdict: "failed", reason: attempt === 1 ? late : `${late}, at attempt ${attempt}` };
  const youth = youthOf(channel, policy);
  if (age >= youth) {
    const old = `tags of more than ${youth} h may have had their images`;
    return { verdict: "failed", reason: `${late}; not pushed again: ${old}` };
  }
  // To try, what a silent source has to say is asked for before production.
  const against = refusal?.reason ?? (channel === "dev" ? undefined : doubt(one));
  if (against !== undefined) return { verdict: "waiting", reason: `${late}; not pushed again yet: ${against}` };
  if (one.room <= 0) return { verdict: "waiting", reason: `${late}; ${nextRun(policy)}` };
  return { verdict: "retry", reason: `${late}; attempt ${attempt + 1} of ${all}`, again: [channel] };
}

/**
 * Why nothing goes to production in this run; nothing where every kind of source answered and knows the version. What GitHub
 * takes back, and what anybody deletes, is not marked but absent: strangers see no drafts.
 */
function doubt({ upstream, heard, unheard }: Case): string | undefined {
  if (unheard !== undefined) return `${unheard} did not say whether it is withdrawn`;
  const strange = heard.filter((source) => !upstream.knownTo.includes(source));
  if (strange.length === 0) return undefined;
  return `${strange.join(" and ")} ${strange.length === 1 ? "does" : "do"} not know it: not yet, or not any more`;
}

function nextRun({ backfill }: WatchPolicy): string {
  return `one run begins ${backfill}: the next one takes it`;
}

function hours(count: number): string {
  return `${Math.max(0, Math.floor(count))} h`;
}
