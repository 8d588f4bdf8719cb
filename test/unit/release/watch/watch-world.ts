import type { Known } from "../../../../release/watch/decision.ts";
import { parseWatchPolicy, type WatchPolicy } from "../../../../release/watch/policy.ts";
import type { UpstreamRelease } from "../../../../release/watch/upstream.ts";
import type { Finding } from "../../../../release/watch/verdict.ts";

export const HOUR = 3_600_000;
export const NOW = 1_000 * HOUR;

export function policyOf(...more: readonly string[]): WatchPolicy {
  const sources = "sources: [{ kind: github, project: a/b }, { kind: npm, project: b }, { kind: pypi, project: b }]";
  return parseWatchPolicy([sources, "floor: 3.250.0", ...more].join("\n"), "watch.yaml");
}

export const AFTER = policyOf("promote: { production: after, afterHours: 24 }");

/** A release that both sources know, so many hours ago. */
export function release(name: string, hoursAgo = 100, more: Partial<UpstreamRelease> = {}): UpstreamRelease {
  return { name, published: NOW - hoursAgo * HOUR, ...more };
}

export function known(releases: readonly UpstreamRelease[], more: Partial<Known> = {}): Known {
  const readings = ["github", "npm"].map((source) => ({ source, releases }));
  return { readings, tags: [], findings: new Map(), now: NOW, ...more };
}

export function found(hoursAgo: number | undefined, missing: readonly string[] = [], fault?: string): Finding {
  return { missing, fault, begun: hoursAgo === undefined ? undefined : NOW - hoursAgo * HOUR };
}
