import { formatRunnerTag, runnerTagOf, type RunnerChannel } from "../runner-tag.ts";
import { compareVersions, parseVersion, type Version } from "../version.ts";
import type { WatchPolicy } from "./policy.ts";
import { joined, type Malformed, type Reading, type UpstreamVersion } from "./upstream.ts";
import { verdictOf, type Finding, type Verdict } from "./verdict.ts";

/** What is known before anything is decided; times are in milliseconds since 1970. */
export interface Known {
  readonly readings: readonly Reading[];
  /** Names of the repository's tags, others than release tags among them. */
  readonly tags: readonly string[];
  /** By version: what was found out about its images to try. Only of those that `versionsToLookUp` names. */
  readonly findings: ReadonlyMap<string, Finding>;
  readonly now: number;
}

/** A tag to push. */
export interface NewTag {
  readonly name: string;
  /** The tag whose commit it gets: what was tried is what is released. Nothing for the head of the branch. */
  readonly from: string | undefined;
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

/** The names of the tags that one version has, by channel. */
export type VersionTags = Readonly<Partial<Record<RunnerChannel, string>>>;

/** Images are looked up for so many versions at most, the highest ones. */
const LOOKED_UP = 20;

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

/** The versions whose images to try decide something: begun, and not all the way in production. Pure. */
export function versionsToLookUp(tags: readonly string[], policy: WatchPolicy): readonly string[] {
  const known = tagsByVersion(tags);
  const latest = highest(known, ["latest"]);
  return versionsOf(tags)
    .filter((version) => {
      const { dev, version: production } = known.get(version.text) ?? {};
      if (dev === undefined || compareVersions(version, policy.floor) < 0) return false;
      return production === undefined || (wantsLatest(policy) && isAbove(version, latest));
    })
    .slice(0, LOOKED_UP)
    .map(({ text }) => text);
}

/** What becomes of every version from the floor on. Pure: the same knowledge gives the same decisions. */
export function decide(known: Known, policy: WatchPolicy): Decisions {
  const { versions, malformed } = joined(known.readings);
  const tags = tagsByVersion(known.tags);
  let room = policy.backfill;
  const decided = withTagged(versions, known.tags)
    .filter(({ version }) => compareVersions(version, policy.floor) >= 0)
    .sort((a, b) => compareVersions(b.version, a.version))
    .map((upstream): Decision => {
      const own = tags.get(upstream.version.text) ?? {};
      const finding = known.findings.get(upstream.version.text);
      const { verdict, reason } = verdictOf({ upstream, tags: own, finding, room, now: known.now }, policy);
      if (verdict === "release") room -= 1;
      const { version, knownTo } = upstream;
      return { version: version.text, verdict, reason, knownTo, tags: newTags(verdict, version, own) };
    });
  return {
    versions: withLatest(decided, tags, policy),
    malformed: malformed.filter(({ name }) => !isOld(name, policy.floor)),
  };
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
  const nothing = { knownTo: [], published: undefined, withdrawn: undefined, unfinished: false };
  return [...versions, ...vanished.map((version) => ({ version, ...nothing }))];
}

function newTags(verdict: Verdict, version: Version, { dev, version: production }: VersionTags): readonly NewTag[] {
  if (verdict === "release") return [{ name: formatRunnerTag("dev", version.text), from: undefined }];
  if (verdict !== "promote" || production !== undefined) return [];
  return [{ name: formatRunnerTag("version", version.text), from: dev }];
}

/** Adds the tag for `latest` to the one promoted version that is above all others in production. */
function withLatest(
  decided: readonly Decision[],
  tags: ReadonlyMap<string, VersionTags>,
  policy: WatchPolicy,
): readonly Decision[] {
  const above = highest(tags, ["version", "latest"]);
  const [top] = decided.filter(({ verdict }) => verdict === "promote");
  return decided.map((decision) => {
    if (decision.verdict !== "promote") return decision;
    const { dev, latest, version: production } = tags.get(decision.version) ?? {};
    const moves = decision === top && wantsLatest(policy) && latest === undefined && isAtLeast(decision.version, above);
    const moved = { name: formatRunnerTag("latest", decision.version), from: dev };
    if (moves) return { ...decision, tags: [...decision.tags, moved] };
    if (production === undefined) return decision;
    return { ...decision, verdict: "done", reason: "released; latest is another version's" };
  });
}

function wantsLatest({ promotion }: WatchPolicy): boolean {
  return promotion.kind === "after" && promotion.latest;
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

function isAbove(version: Version, other: Version | undefined): boolean {
  return other === undefined || compareVersions(version, other) > 0;
}

function isAtLeast(text: string, other: Version | undefined): boolean {
  const version = parseVersion(text);
  return version !== undefined && (other === undefined || compareVersions(version, other) >= 0);
}
