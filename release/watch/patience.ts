import type { RunnerChannel } from "../runner-tag.ts";
import type { WatchPolicy } from "./policy.ts";

/** Hours after which the images of a tag are late: in production reviewers are asked first (docs/watch.md). */
export function patienceOf(
  channel: RunnerChannel,
  policy: Pick<WatchPolicy, "patience" | "productionPatience">,
): number {
  return channel === "dev" ? policy.patience : policy.productionPatience;
}

/**
 * Hours up to which a tag is young: what is missing then may never have come. Later the images may have been there for long, and
 * a registry that lost one, or did not find it once, is no reason to take a good release away.
 */
export function youthOf(channel: RunnerChannel, policy: Pick<WatchPolicy, "patience" | "productionPatience">): number {
  return 2 * patienceOf(channel, policy);
}
