import { usedUntil } from "../cache/used-tag.ts";
import type { StoredManifest } from "../registry/stored-manifest.ts";
import { manifestGraph, type ManifestGraph } from "./manifest-graph.ts";
import { reachable, type Reached, type Root } from "./reachable.ts";
import { registryTag } from "./registry-tag.ts";

/** What a plan is made from. Times are milliseconds since 1970. */
export interface RetentionQuestion {
  /** All manifests that are known, those of other repositories that roots name among them. */
  readonly manifests: readonly StoredManifest[];
  readonly roots: readonly Root[];
  /** Names of stacks, which are the tags of their runner images unless they say otherwise. */
  readonly stacks?: ReadonlySet<string>;
  /** Digests of the warm images that runner images were made from, by the digests of those. */
  readonly bases?: ReadonlyMap<string, string>;
  /** Repositories that are to be cleaned up; nothing of any other is deleted. */
  readonly repositories: readonly string[];
  readonly now: number;
  /** What is younger, or was found again since then, stays: a bake or a promotion may be under way. */
  readonly graceMs: number;
  /** When a manifest was pushed, or since when it is seen unused; nothing where that is not known, which counts as now. */
  readonly since: (manifest: StoredManifest) => number | undefined;
}

/** A manifest with its tags. */
export type Named = Pick<StoredManifest, "repository" | "digest" | "tags">;

export interface Kept extends Named {
  readonly reason: string;
}

export interface Removal extends Named {
  /** Since it was pushed, or first seen unused; nothing where neither is known. */
  readonly ageMs?: number;
  /** Bytes that nothing which stays refers to; what several removals share counts for the first. */
  readonly bytes: number;
  /** Digests that must be gone before it: without it nobody would find them. */
  readonly after: readonly string[];
}

/** What of some repositories stays, with the reason, and what goes, in the order in which it is deleted. */
export interface RetentionPlan {
  readonly keep: readonly Kept[];
  readonly remove: readonly Removal[];
  /** Tags that kiln does not set, as `repository:tag`: they stay, whatever they are. */
  readonly foreign: readonly string[];
  /** Tags of uses so long ago that they keep nothing any more, of what stays for other reasons. */
  readonly expired: readonly { readonly repository: string; readonly tag: string }[];
  /** What would go if nothing were young: whose age begins to count now, where it is not known. */
  readonly unused: readonly Named[];
}

/**
 * What stays and what goes. All that is reachable from what is named stays, and all that is younger than the grace period with
 * what it leads to. Goes deepest first, so that a broken-off run leaves nothing that the next one could not find. Pure.
 */
export function retentionPlan(question: RetentionQuestion): RetentionPlan {
  const { repositories, now, stacks = new Set(), bases = new Map() } = question;
  const roots = [...question.roots, ...tagRoots(question.manifests, stacks)];
  const graph = manifestGraph(question.manifests);
  const mine = graph.manifests.filter(({ repository }) => repositories.includes(repository));
  const named = reachable(graph, roots, { bases });
  const unused = mine.filter((manifest) => !named.has(manifest));
  const kept = reachable(graph, roots, { bases, more: youngOnes(unused, question) });
  const doomed = new Set(unused.filter((manifest) => !kept.has(manifest)));
  const cost = costOf(mine, kept);
  return {
    keep: mine.flatMap((manifest) => {
      const reason = kept.get(manifest);
      return reason === undefined ? [] : [{ ...nameOf(manifest), reason }];
    }),
    remove: deepestFirst(graph, doomed).map((manifest) => {
      const since = lastUse(manifest, question);
      const after = graph.leadsTo(manifest).filter(({ to }) => doomed.has(to));
      return {
        ...nameOf(manifest),
        ...(since === undefined ? {} : { ageMs: Math.max(now - since, 0) }),
        bytes: cost(manifest),
        after: [...new Set(after.map(({ to }) => to.digest))],
      };
    }),
    foreign: mine.flatMap(({ repository, tags }) =>
      tags
        .filter((tag) => registryTag(tag).kind === "foreign" && !stacks.has(tag))
        .map((tag) => `${repository}:${tag}`),
    ),
    expired: mine.flatMap((manifest) => {
      const { repository, tags } = manifest;
      const past = tags.filter((tag) => (usedUntil(tag) ?? Infinity) + question.graceMs <= now);
      return kept.has(manifest) ? past.map((tag) => ({ repository, tag })) : [];
    }),
    unused: unused.map(nameOf),
  };
}

/** What the tag of a stack names: what it runs, or ran last. */
function tagRoots(manifests: readonly StoredManifest[], stacks: ReadonlySet<string>): readonly Root[] {
  return manifests.flatMap(({ repository, digest, tags }) => {
    const stack = tags.find((tag) => stacks.has(tag) && registryTag(tag).kind === "foreign");
    return stack === undefined ? [] : [{ repository, digest, reason: `tag ${stack}, of that stack` }];
  });
}

/** Bytes that a plan frees. */
export function freedBytes({ remove }: Pick<RetentionPlan, "remove">): number {
  return remove.reduce((sum, { bytes }) => sum + bytes, 0);
}

function nameOf({ repository, digest, tags }: StoredManifest): Named {
  return { repository, digest, tags };
}

/** What is left of the day of a machine whose clock is not far off. */
const LONGEST_DAY_MS = 86_400_000 + 3_600_000;

/** How long shards are kept: a release may wait for days for the approval that its last jobs need. */
const SHARD_GRACE_MS = 7 * 86_400_000;

function youngOnes(
  unused: readonly StoredManifest[],
  question: RetentionQuestion,
): ReadonlyMap<StoredManifest, string> {
  const young = new Map<StoredManifest, string>();
  for (const manifest of unused) {
    const known = lastUse(manifest, question);
    const graceMs = isShard(manifest) ? Math.max(question.graceMs, SHARD_GRACE_MS) : question.graceMs;
    const hours = `${Math.round(graceMs / 3_600_000)} h`;
    if (known === undefined) {
      if (graceMs > 0) young.set(manifest, `not known to be unused for ${hours}`);
    } else if (question.now - known < graceMs) young.set(manifest, `younger than ${hours}`);
  }
  return young;
}

function isShard({ tags }: StoredManifest): boolean {
  return tags.some((tag) => tag.startsWith("shard-") && registryTag(tag).kind === "build");
}

/** When a manifest was pushed or first seen unused, or a bake found it again, whichever is later. */
function lastUse(manifest: StoredManifest, { now, since }: RetentionQuestion): number | undefined {
  const known = since(manifest);
  // A use of a day that is still to come was told by a clock that was wrong.
  const uses = manifest.tags.flatMap((tag) => usedUntil(tag) ?? []).filter((end) => end - now <= LONGEST_DAY_MS);
  return known === undefined ? undefined : Math.max(known, ...uses.map((end) => Math.min(end, now)));
}

/** Each manifest after all that it leads to. */
function deepestFirst(graph: ManifestGraph, doomed: ReadonlySet<StoredManifest>): readonly StoredManifest[] {
  const order = new Set<StoredManifest>();
  const entered = new Set<StoredManifest>();
  // The stack is the code's own: a chain of referrers may be longer than the engine's.
  const stack = [...doomed].reverse().map((manifest) => ({ manifest, left: false }));
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { manifest, left } = top;
    if (left) order.add(manifest);
    if (left || entered.has(manifest)) continue;
    entered.add(manifest);
    stack.push({ manifest, left: true });
    for (const { to } of graph.leadsTo(manifest)) {
      if (doomed.has(to)) stack.push({ manifest: to, left: false });
    }
  }
  return [...order];
}

/** Counts the bytes of a removal that neither what stays in its repository nor an earlier removal refers to. */
function costOf(mine: readonly StoredManifest[], kept: Reached): (manifest: StoredManifest) => number {
  const counted = new Set<string>();
  for (const manifest of mine) {
    if (!kept.has(manifest)) continue;
    for (const { digest } of manifest.blobs) counted.add(`${manifest.repository}@${digest}`);
  }
  return ({ repository, blobs }) => {
    let bytes = 0;
    for (const { digest, size } of blobs) {
      const blob = `${repository}@${digest}`;
      if (!counted.has(blob)) bytes += size;
      counted.add(blob);
    }
    return bytes;
  };
}
