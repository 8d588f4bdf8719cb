import type { Progress } from "../progress.ts";
import { explained } from "../toolchain/download.ts";
import { interruption, throwIfInterrupted } from "../toolchain/process.ts";
import { exposition, groupPath, type WarmMeasure } from "./warm-metrics.ts";

/** How long to wait for a gateway: metrics are not worth more of a runner's time. */
const ANSWER_MS = 5_000;

/**
 * Puts the metrics of a warm in place of the last ones of its shard. A gateway that refuses them or does not answer is a
 * note, never a failure. Node itself takes the proxies of the environment.
 */
export async function pushMetrics(
  gateway: string,
  measure: WarmMeasure,
  progress: Progress,
  answerMs = ANSWER_MS,
): Promise<void> {
  const late = AbortSignal.timeout(answerMs);
  try {
    const response = await fetch(`${gateway}${groupPath(measure)}`, {
      method: "PUT",
      headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
      body: exposition(measure),
      signal: AbortSignal.any([late, interruption.signal]),
    });
    const said = (await response.text()).trim().split("\n")[0] ?? "";
    if (!response.ok) progress.note(notPushed(gateway, `it answered ${response.status} ${said.slice(0, 200)}`.trim()));
  } catch (error) {
    throwIfInterrupted();
    progress.note(notPushed(gateway, late.aborted ? `no answer within ${answerMs / 1000} s` : explained(error)));
  }
}

function notPushed(gateway: string, reason: string): string {
  return `metrics were not pushed to ${gateway}: ${reason}`;
}
