import { decide, type Known } from "../../../../release/watch/decision.ts";
import { parseWatchPolicy, type WatchPolicy } from "../../../../release/watch/policy.ts";
import type { UpstreamRelease } from "../../../../release/watch/upstream.ts";
import type { Finding } from "../../../../release/watch/finding.ts";

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

/** The watcher's own tag of so many hours ago, whose images came with it, or are missing, or cannot be looked up. */
export function found(
  hoursAgo: number | undefined,
  missing: readonly string[] = [],
  more: Partial<Finding> = {},
): Finding {
  const begun = hoursAgo === undefined ? undefined : NOW - hoursAgo * HOUR;
  const about = { commit: "c".repeat(40), object: "0".repeat(40), attempt: 2, fault: undefined };
  return { ...about, begun, missing, since: missing.length === 0 ? begun : undefined, ...more };
}

/** The one decision on 3.253.0. */
export function decided(one: Known, policy: WatchPolicy) {
  const decision = decide(one, policy).versions.find(({ version }) => version === "3.253.0");
  return [decision?.verdict, decision?.reason, decision?.tags.map(({ name }) => name)];
}
