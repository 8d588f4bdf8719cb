import { KilnError } from "../../errors.ts";
import { PublicRepository } from "../../registry/public-repository.ts";
import { readPublicRecord } from "../public-record.ts";
import { runnerRelease, type RunnerRegistries } from "../runner-image.ts";
import { isPlaceholder, REGISTRIES_FILE } from "../runner-registries.ts";
import { parseRunnerTag, type RunnerTag } from "../runner-tag.ts";
import { compareVersions, parseVersion } from "../version.ts";
import { attemptIn, type Finding } from "./finding.ts";
import { youthOf } from "./patience.ts";
import type { WatchPolicy } from "./policy.ts";
import type { KnownTag, TagRepository } from "./tag-repository.ts";

export interface FindingOptions {
  readonly repository: TagRepository;
  readonly registries: RunnerRegistries;
  readonly policy: WatchPolicy;
  /** Milliseconds since 1970. */
  readonly now: number;
}

const HOUR_MS = 3_600_000;

/** What a registry has of one image of a tag: nothing more to come, or what is missing. */
interface Arrival {
  readonly missing: readonly string[];
  readonly since?: number;
}

/** What is found out about a release tag: which of the images that the policy asks for are not there, and since when all are. */
export async function readFinding(name: string, options: FindingOptions): Promise<Finding> {
  const { repository, registries } = options;
  const tag = parseRunnerTag(name);
  const known = await repository.readTag(name);
  const { commit, object, made } = known;
  const about = { commit, object, begun: made, attempt: attemptIn(known.message), since: undefined };
  const [registry = ""] = registries[tag.environment];
  if (isPlaceholder(registry)) return { ...about, missing: [], fault: `${REGISTRIES_FILE} still says ${registry}` };
  try {
    return { ...about, ...(await readImages(tag, known, options)), fault: undefined };
  } catch (error) {
    if (!(error instanceof KilnError) || error.kind !== "unreachable") throw error;
    return { ...about, missing: [], fault: error.message };
  }
}

/** Which images of a tag are missing; and, where that decides something, since when all are there. */
async function readImages(
  tag: RunnerTag,
  known: KnownTag,
  { registries, policy, now }: FindingOptions,
): Promise<Pick<Finding, "missing" | "since">> {
  const { targets } = runnerRelease(tag, { registries, ...policy.required });
  const places = targets.map(
    ({ repositories, imageTag }) => [new PublicRepository(repositories[0]), imageTag] as const,
  );
  // `latest` is always there: what it names is what tells.
  if (tag.channel !== "latest") {
    const missing: string[] = [];
    for (const [place, imageTag] of places) {
      if (!(await place.hasTag(imageTag))) missing.push(`${place.name}:${imageTag}`);
    }
    // A version that was released anew has the images of before until its own come; of an old tag that is not asked every hour.
    const isYoung = known.made !== undefined && now - known.made < youthOf(tag.channel, policy) * HOUR_MS;
    const isEnough = tag.channel === "version" ? !isYoung : policy.promotion.kind === "by hand";
    if (missing.length > 0 || isEnough) return { missing, since: undefined };
  }
  const arrivals: Arrival[] = [];
  for (const [place, imageTag] of places) arrivals.push(await readArrival(place, imageTag, tag, known));
  const missing = arrivals.flatMap((arrival) => arrival.missing);
  const times = arrivals.flatMap(({ since }) => since ?? []);
  return { missing, since: missing.length > 0 || times.length === 0 ? undefined : Math.max(...times) };
}

/** Whether an image tag names what a release tag asked for, by the record of its release. */
async function readArrival(
  place: PublicRepository,
  imageTag: string,
  { channel, version }: RunnerTag,
  { commit, made }: KnownTag,
): Promise<Arrival> {
  const at = `${place.name}:${imageTag}`;
  const record = await readPublicRecord(place, imageTag);
  if (record === "absent") return { missing: [at] };
  if (record === "unrecorded") {
    // In production somebody put it there; to try, nobody knows what was tried.
    return { missing: channel === "version" ? [] : [`${at} (there without a record of its release)`] };
  }
  const { since, revision } = record;
  if (channel === "latest") {
    const there = parseVersion(record.version);
    const isAsAsked = there !== undefined && compareVersions(there, version) >= 0;
    // Moved back since, on purpose: whoever did it wants it so.
    const isMovedBack = made !== undefined && since >= made;
    return isAsAsked || isMovedBack ? { missing: [], since } : { missing: [`${at} (there as ${record.version})`] };
  }
  const isReleasedSince = channel === "version" && made !== undefined && since >= made;
  if (revision === commit || isReleasedSince) return { missing: [], since };
  const there = revision === undefined ? "without its commit" : `of commit ${short(revision)}`;
  return { missing: [`${at} of commit ${short(commit)} (there ${there})`] };
}

function short(commit: string): string {
  return commit.slice(0, 12);
}
