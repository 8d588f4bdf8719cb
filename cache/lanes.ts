import { createHash } from "node:crypto";
import { KilnError } from "../errors.ts";

/** The lanes of a cache: scale sets of one runner each, every one with a volume of its own. */
export interface Lanes {
  /** What the names of their scale sets begin with. */
  readonly prefix: string;
  readonly count: number;
}

/** The name of a lane among those of its cache: also the last part of the names of its volume and scale set. */
export function laneKey(index: number): string {
  return `lane-${index}`;
}

/** The scale set of a lane: what a workflow writes after `runs-on`. */
export function laneScaleSet(prefix: string, index: number): string {
  return `${prefix}-${laneKey(index)}`;
}

/** What `--lanes PREFIX:N` names. Throws a usage error for what is no such text. */
export function parseLanes(text: string): Lanes {
  const [, prefix, digits] = /^([a-z](?:[a-z0-9-]*[a-z0-9])?):([1-9]\d{0,2})$/.exec(text) ?? [];
  const count = Number(digits);
  if (prefix !== undefined && count <= MOST_LANES && laneScaleSet(prefix, count - 1).length <= NAME_LENGTH) {
    return { prefix, count };
  }
  throw new KilnError("usage", `--lanes ${text} does not name lanes`, {
    mend: `Write what the scale sets' names begin with and how many lanes there are, from 1 to ${MOST_LANES}, such as trusted:4. A name has at most ${NAME_LENGTH} characters.`,
  });
}

/** As many as a GitHub matrix has jobs: no more can be at work at once. */
export const MOST_LANES = 256;

/** The most that actions-runner-controller takes for the name of a scale set. */
const NAME_LENGTH = 45;

/**
 * The lane on which a shard meets its own cache again, from 0 on. It depends on the shard's name and the number of lanes
 * alone, so shards that come and go move no other. Numbered shards take turns; of the others each takes the lane
 * with the highest hash (rendezvous hashing, Thaler and Ravishankar 1998), so that one lane more takes shards from the
 * others and moves none between them.
 */
export function laneOf(shard: string, count: number): number {
  const number = /^shard-([1-9]\d*)$/.exec(shard)?.[1];
  if (number !== undefined) return (Number(number) - 1) % count;
  const weights = Array.from({ length: count }, (_, index) => weightOf(shard, index));
  return weights.indexOf(weights.reduce((best, weight) => (weight > best ? weight : best), weights[0] ?? ""));
}

function weightOf(shard: string, index: number): string {
  return createHash("sha256")
    .update(`${laneKey(index)}\n${shard}`)
    .digest("hex");
}
