import { messageOf } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import type { RunnerRegistries } from "../runner-image.ts";
import { throwIfInterrupted } from "../../toolchain/process.ts";
import { decide, tagsToLookUp, type Decision, type NewTag } from "./decision.ts";
import type { FeedClient } from "./feed-client.ts";
import { tagMessage, type Finding } from "./finding.ts";
import type { WatchPolicy } from "./policy.ts";
import { readFinding } from "./read-finding.ts";
import { readUpstream, requireAnswers } from "./read-upstream.ts";
import type { TagRepository } from "./tag-repository.ts";
import type { Malformed, Reading } from "./upstream.ts";

export interface WatchOptions {
  readonly policy: WatchPolicy;
  readonly client: FeedClient;
  readonly repository: TagRepository;
  readonly registries: RunnerRegistries;
  readonly now: () => number;
  readonly dryRun: boolean;
  readonly progress: Progress;
}

/** What became of one tag. */
export interface PushedTag {
  readonly tag: string;
  readonly outcome: "pushed" | "there already" | "dry run" | "failed";
  /** Why it failed. */
  readonly fault?: string;
}

/** One look at upstream, the repository and the registry, and what was done. */
export interface Watch {
  readonly repository: string;
  readonly dryRun: boolean;
  readonly sources: readonly { readonly source: string; readonly releases?: number; readonly fault?: string }[];
  readonly versions: readonly Decision[];
  readonly malformed: readonly Malformed[];
  readonly tags: readonly PushedTag[];
}

/**
 * Looks once, decides, and pushes what is decided. All state is where everybody sees it: in upstream's releases, the
 * repository's tags and the registry. So a run that was cut off, or that runs twice, ends in the same tags.
 */
export async function watchOnce(options: WatchOptions): Promise<Watch> {
  const { policy, client, repository, registries, now, dryRun, progress } = options;
  progress.step(`reading the releases of ${policy.sources[0]?.project ?? "upstream"}`);
  const readings = await readUpstream(client, policy);
  for (const reading of readings) if ("fault" in reading) progress.note(`${reading.source}: ${reading.fault}`);
  requireAnswers(readings, policy);
  progress.step(`reading the tags of ${repository.name}`);
  const tags = await repository.readTags();
  const findings = new Map<string, Finding>();
  for (const name of tagsToLookUp(tags, policy)) {
    findings.set(name, await readFinding(name, { repository, registries, policy, now: now() }));
  }
  const { versions, malformed } = decide({ readings, tags, findings, now: now() }, policy);
  return {
    repository: repository.name,
    dryRun,
    sources: readings.map(summary),
    versions,
    malformed,
    tags: await pushAll(versions, options),
  };
}

function summary(reading: Reading): Watch["sources"][number] {
  const { source } = reading;
  return "fault" in reading ? { source, fault: reading.fault } : { source, releases: reading.releases.length };
}

/** One tag after the other, the oldest version first: one that cannot be pushed does not stop the next version. */
async function pushAll(versions: readonly Decision[], options: WatchOptions): Promise<readonly PushedTag[]> {
  const { policy, repository, dryRun } = options;
  const wanted = versions.filter(({ tags }) => tags.length > 0).reverse();
  if (dryRun) return wanted.flatMap(({ tags }) => tags.map(({ name }) => ({ tag: name, outcome: "dry run" as const })));
  const head = wanted.length === 0 ? "" : await repository.readHead(policy.branch);
  const pushed: PushedTag[] = [];
  for (const decision of wanted) {
    for (const tag of decision.tags) {
      throwIfInterrupted();
      const result = await pushOne(tag, decision, head, options);
      pushed.push(result);
      // Of a version the next tag builds on this one: `latest` never names what has no version.
      if (result.outcome === "failed") break;
    }
  }
  return pushed;
}

async function pushOne(
  { name, commit, instead, attempt }: NewTag,
  { reason }: Decision,
  head: string,
  { repository, progress }: WatchOptions,
): Promise<PushedTag> {
  let before = "";
  try {
    progress.step(`pushing ${name}`);
    // A tag is not moved, which would leave no trace of the release before: it is removed and made again.
    if (instead !== undefined && (await repository.remove({ name, object: instead })) === "changed") {
      return { tag: name, outcome: "there already" };
    }
    if (instead !== undefined) before = "it was removed, and the next run makes it anew: ";
    const tag = { name, commit: commit ?? head, message: tagMessage(reason, attempt) };
    const done = await repository.push(tag);
    return { tag: name, outcome: done === "pushed" ? "pushed" : "there already" };
  } catch (error) {
    throwIfInterrupted();
    const fault = `${before}${messageOf(error)}`;
    progress.note(`${name}: ${fault}`);
    return { tag: name, outcome: "failed", fault };
  }
}
