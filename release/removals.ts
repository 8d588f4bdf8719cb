import { messageOf } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { throwIfInterrupted } from "../toolchain/process.ts";
import type { ImageRemover } from "./image-remover.ts";
import { shortDigest } from "./reachable.ts";
import type { Removal } from "./retention.ts";

/** What could not be deleted or written, as `repository@digest` or `repository:tag`, and why. */
export interface Failure {
  readonly what: string;
  readonly reason: string;
}

export interface RemovalTools {
  readonly removerOf: (repository: string) => ImageRemover;
  /** The tags that a repository had when the plan was made. */
  readonly tagsOf: (repository: string) => ReadonlySet<string>;
  readonly progress: Progress;
}

/**
 * Deletes what a plan says, in its order. Before anything of an image goes, the image itself is looked at: one that got a tag
 * keeps its record. Goes on after a failure, and leaves what the failed one can be found by.
 */
export async function carryOut(
  removals: readonly Removal[],
  { removerOf, tagsOf, progress }: RemovalTools,
): Promise<{ readonly removed: readonly Removal[]; readonly failed: readonly Failure[] }> {
  const holders = holdersOf(removals);
  const stays = new Map<string, string>();
  const looked = new Set<string>();
  const removed: Removal[] = [];
  const look = async (removal: Removal) => {
    const { repository } = removal;
    looked.add(keyOf(removal));
    const reason = await reasonOf(() => removerOf(repository).requireUnchanged(removal, tagsOf(repository)));
    if (reason !== undefined) stays.set(keyOf(removal), reason);
  };
  for (const [index, removal] of removals.entries()) {
    const { repository, digest, after } = removal;
    const key = keyOf(removal);
    progress.update(`${repository}@${shortDigest(digest)}`, index, removals.length);
    if (stays.has(key)) continue;
    const above = holders(removal);
    for (const holder of above) if (!looked.has(keyOf(holder))) await look(holder);
    const holding = above.find((holder) => stays.has(keyOf(holder)));
    const held = after.find((one) => stays.has(`${repository}@${one}`));
    if (holding !== undefined) stays.set(key, `it belongs to ${shortDigest(holding.digest)}, which stays`);
    else if (held !== undefined) stays.set(key, `${shortDigest(held)}, which belongs to it, is still there`);
    // Also where it was looked at before: what is above it may have taken its time.
    else await look(removal);
    if (stays.has(key)) continue;
    const reason = await reasonOf(() => removerOf(repository).remove(removal));
    if (reason === undefined) removed.push(removal);
    else stays.set(key, reason);
  }
  return { removed, failed: [...stays].map(([what, reason]) => ({ what, reason })) };
}

/** Why something failed; nothing where it did not. An interruption is no reason to go on. */
export async function reasonOf(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    throwIfInterrupted();
    return messageOf(error);
  }
}

function keyOf({ repository, digest }: Removal): string {
  return `${repository}@${digest}`;
}

/** Gives all removals that lead to one, from however far above. */
function holdersOf(removals: readonly Removal[]): (removal: Removal) => readonly Removal[] {
  const direct = new Map<string, Removal[]>();
  for (const removal of removals) {
    for (const digest of removal.after) {
      const key = `${removal.repository}@${digest}`;
      direct.set(key, [...(direct.get(key) ?? []), removal]);
    }
  }
  return (removal) => {
    const found = new Set<Removal>();
    const queue = [removal];
    for (let one = queue.pop(); one !== undefined; one = queue.pop()) {
      for (const holder of direct.get(keyOf(one)) ?? []) {
        if (holder === removal || found.has(holder)) continue;
        found.add(holder);
        queue.push(holder);
      }
    }
    return [...found];
  };
}
