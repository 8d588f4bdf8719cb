import { formatRunnerTag, runnerTagOf, type RunnerChannel } from "../runner-tag.ts";
import { compareVersions, parseVersion, type Version } from "../version.ts";
import type { Finding } from "./finding.ts";
import type { WatchPolicy } from "./policy.ts";
import { heard, joined, unheard, type Malformed, type Reading, type UpstreamVersion } from "./upstream.ts";
import { verdictOf, type Answer, type Case, type Verdict, type VersionTags } from "./verdict.ts";

/** What is known before anything is decided; times are in milliseconds since 1970. */
export interface Known {
  readonly readings: readonly Reading[];
  /** Names of the repository's tags, others than release tags among them. */
  readonly tags: readonly string[];
  /** By the names of release tags: what was found out about them. Only of those that `tagsToLookUp` names. */
  readonly findings: ReadonlyMap<string, Finding>;
  readonly now: number;
}

/** A tag to push. */
export interface NewTag {
  readonly name: string;
  /**
   * The commit that was tried is the one that is released: the images are built from it again. Nothing for the head of the branch.
   */
  readonly commit: string | undefined;
  /** What the repository has under this name, which is removed first; nothing for a tag that is not there. */
  readonly instead?: string;
  /** How often it has been pushed then. */
  readonly attempt: number;
}

/** What becomes of one version, and why. */
export interface Decision {
  readonly version: string;
  readonly verdict: Verdict;
  readonly reason: string;
  readonly knownTo: readonly string[];
  /** In the order in which they are pushed. */
  readonly tags: readonly NewTag[];
}

export interface Decisions {
  /** The highest version first. */
  readonly versions: readonly Decision[];
  readonly malformed: readonly Malformed[];
}

/** Images to try are looked up for so many versions at most, the highest ones. */
const TRIED = 20;
/** So are those in production: what failed there is seen, and what was released long ago is not asked for every hour. */
const RELEASED = 5;

/** The release tags of a repository by version. */
export function tagsByVersion(tags: readonly string[]): ReadonlyMap<string, VersionTags> {
  const found = new Map<string, VersionTags>();
  for (const tag of tags) {
    const known = runnerTagOf(tag);
    if (known === undefined) continue;
    found.set(known.version.text, { ...found.get(known.version.text), [known.channel]: tag });
  }
  return found;
}

/**
 * The release tags whose images decide something: to try, of versions that are not all the way in production; in production, of
 * the highest ones. Pure.
 */
export function tagsToLookUp(tags: readonly string[], policy: WatchPolicy): readonly string[] {
  const known = tagsByVersion(tags);
  const above = highest(known, PRODUCTION);
  const own = versionsOf(tags)
    .filter((version) => compareVersions(version, policy.floor) >= 0)
    .map((version) => ({ version, tags: known.get(version.text) ?? {} }));
  const tried = own.filter(
    ({ version, tags: { version: released, latest } }) =>
      released === undefined || owesLatest(version, latest, above, policy),
  );
  return [
    ...tried.flatMap(({ tags: { dev } }) => dev ?? []).slice(0, TRIED),
    ...own.flatMap(({ tags: { version } }) => version ?? []).slice(0, RELEASED),
    ...own.flatMap(({ tags: { latest } }) => latest ?? []).slice(0, 1),
  ];
}

/** What becomes of every version from the floor on. Pure: the same knowledge gives the same decisions. */
export function decide(known: Known, policy: WatchPolicy): Decisions {
  const { versions, malformed } = joined(known.readings);
  const tags = tagsByVersion(known.tags);
  const above = highest(tags, PRODUCTION);
  const [answered, silent] = [heard(known.readings), unheard(known.readings)];
  let room = policy.backfill;
  let isHighest = true;
  const decided = withTagged(versions, known.tags)
    .filter(({ version }) => compareVersions(version, policy.floor) >= 0)
    .sort((a, b) => compareVersions(b.version, a.version))
    .map((upstream): Decision => {
      const { version, knownTo } = upstream;
      const own = tags.get(version.text) ?? {};
      const owes = owesLatest(version, own.latest, above, policy);
      const findings = findingsOf(own, known.findings);
      const said = { upstream, heard: answered, unheard: silent };
      const one = { ...said, tags: own, findings, owesLatest: owes, room, now: known.now };
      const answer = verdictOf(one, policy);
      const wanted = newTags(one, answer, isHighest);
      if (answer.verdict === "release" || (answer.again ?? []).length > 0) room -= 1;
      if (answer.verdict === "promote") isHighest = false;
      const about = { version: version.text, knownTo, tags: wanted };
      // Its version is there, and `latest` goes to a higher one that is promoted with it.
      if (answer.verdict === "promote" && wanted.length === 0) {
        return { ...about, verdict: "done", reason: "released; latest is another version's" };
      }
      return { ...about, verdict: answer.verdict, reason: answer.reason };
    });
  return { versions: decided, malformed: malformed.filter(({ name }) => !isOld(name, policy.floor)) };
}

/** Whether a name that is no version begins with one below the floor: nobody mends those of years ago. */
function isOld(name: string, floor: Version): boolean {
  const [, numbers = ""] = /^v?(\d+\.\d+\.\d+)/.exec(name) ?? [];
  const version = parseVersion(numbers);
  return version !== undefined && compareVersions(version, floor) < 0;
}

/** Versions that only the repository's tags know of too: one that vanished upstream is not promoted. */
function withTagged(versions: readonly UpstreamVersion[], tags: readonly string[]): readonly UpstreamVersion[] {
  const names = new Set(versions.map(({ version }) => version.text));
  const vanished = versionsOf(tags).filter(({ text }) => !names.has(text));
  const nothing = { knownTo: [], published: new Map<string, number>(), withdrawn: undefined, unfinished: false };
  return [...versions, ...vanished.map((version) => ({ version, ...nothing }))];
}

/** The tags that a verdict pushes, in their order: `latest` builds on its version. */
function newTags({ upstream, tags, findings, owesLatest: owes }: Case, answer: Answer, isHighest: boolean) {
  const { text } = upstream.version;
  const named = (channel: RunnerChannel, commit?: string): NewTag => ({
    name: formatRunnerTag(channel, text),
    commit,
    attempt: 1,
  });
  if (answer.verdict === "release") return [named("dev")];
  const tried = findings.dev?.commit;
  if (answer.verdict === "promote") {
    return [
      ...(tags.version === undefined ? [named("version", tried)] : []),
      // Of a version that somebody released already, `latest` is that release, whatever was tried.
      ...(owes && isHighest ? [named("latest", findings.version?.commit ?? tried)] : []),
    ];
  }
  return (answer.again ?? []).flatMap((channel) => {
    const found = findings[channel];
    if (found === undefined) return [];
    // To try, it is begun anew: what was mended since is at the head of the branch.
    const commit = channel === "dev" ? undefined : found.commit;
    return [{ ...named(channel, commit), instead: found.object, attempt: (found.attempt ?? 0) + 1 }];
  });
}

const PRODUCTION: readonly RunnerChannel[] = ["version", "latest"];

/** Whether `latest` is to name a version, has no tag of it yet, and none of a higher one is in production. */
function owesLatest(
  version: Version,
  latest: string | undefined,
  above: Version | undefined,
  { promotion }: WatchPolicy,
): boolean {
  if (promotion.kind !== "after" || !promotion.latest || latest !== undefined) return false;
  return above === undefined || compareVersions(version, above) >= 0;
}

function findingsOf(tags: VersionTags, findings: Known["findings"]): Case["findings"] {
  const found = Object.entries(tags).flatMap(([channel, name]) => {
    const finding = findings.get(name);
    return finding === undefined ? [] : [[channel, finding] as const];
  });
  return Object.fromEntries(found);
}

/** The versions of tags, the highest first. */
function versionsOf(tags: readonly string[]): readonly Version[] {
  const found = tags.flatMap((name) => runnerTagOf(name)?.version ?? []);
  const unique = new Map(found.map((version) => [version.text, version]));
  return [...unique.values()].sort((a, b) => compareVersions(b, a));
}

function highest(tags: ReadonlyMap<string, VersionTags>, channels: readonly RunnerChannel[]): Version | undefined {
  const names = [...tags.values()].flatMap((own) => channels.flatMap((channel) => own[channel] ?? []));
  return versionsOf(names)[0];
}
