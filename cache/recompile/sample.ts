import { createHash } from "node:crypto";
import { KilnError } from "../../errors.ts";

/** How much to compile again: everything, or a share above 0 and at most 1. */
export type Share = "all" | number;

/** Reads `--recompile all|PERCENT`: `all`, or a number above 0 and at most 100, with or without a percent sign. */
export function parseShare(text: string): Share {
  if (text === "all") return "all";
  const percent = /^\d+(?:\.\d+)?%?$/.test(text) ? Number(text.replace("%", "")) : NaN;
  if (percent > 0 && percent <= 100) return percent / 100;
  throw new KilnError("usage", `--recompile ${text} is neither "all" nor a percentage`, {
    mend: "Write `--recompile all`, or a number above 0 and at most 100 such as `--recompile 10`.",
  });
}

/**
 * The actions to make again: as many as the share says, rounded up, each as likely as any other. The seed decides which, so
 * that a run can be repeated; whoever forges entries must not know it beforehand.
 */
export function sampleActions(actions: readonly string[], share: Share, seed: number): ReadonlySet<string> {
  if (share === "all") return new Set(actions);
  const drawn = actions.map((action) => ({
    action,
    place: createHash("sha256").update(`${seed} ${action}`).digest("hex"),
  }));
  drawn.sort((a, b) => (a.place < b.place ? -1 : 1));
  // 7 percent of 200 are 14, though 200 * 0.07 is a little more.
  const size = Math.ceil(actions.length * share - 1e-9);
  return new Set(drawn.slice(0, size).map(({ action }) => action));
}

/** How likely it is that a sample misses one forged entry, or all of several: what drawing without putting back gives. */
export function escapeProbability(sampled: number, all: number, forged = 1): number {
  let probability = 1;
  for (let index = 0; index < forged; index += 1) {
    probability *= Math.max(0, all - sampled - index) / Math.max(1, all - index);
  }
  return probability;
}
