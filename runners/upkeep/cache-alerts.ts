import type { AlertRule } from "./alert-rule.ts";
import { matching } from "./promql.ts";

/** The part of packages that the last warm found in its store, by scale set and shard: PromQL, of selectors of hits and of all. */
export function hitRatio(hits: string, all: string): string {
  const packages = (selector: string) => `sum by (scale_set, shard) (kiln_cache_packages${selector})`;
  return `${packages(hits)} / ${packages(all)}`;
}

/**
 * What calls for a person where a cache does not do its work; nothing where no scale set tells. A gateway repeats what was
 * last pushed for ever, so a value proves no recent warm: a change of its time within the week does, and shows besides that
 * it was not the first one, which always compiles. `for` runs on from push to push for as long as all of them miss.
 */
export function cacheRules(scaleSets: readonly string[] = []): readonly AlertRule[] {
  if (scaleSets.length === 0) return [];
  const names = [...scaleSets].sort();
  const own = matching({ scale_set: names });
  const ratio = hitRatio(matching({ result: "hit", scale_set: names }), own);
  return [
    {
      alert: "RunnerCacheMisses",
      expr: `${ratio} < 0.5 and on (scale_set, shard) changes(kiln_cache_warm_timestamp_seconds${own}[1w]) > 0`,
      for: "1h",
      labels: { severity: "warning" },
      annotations: {
        summary: "The cache of {{ $labels.scale_set }} serves little of {{ $labels.shard }}",
        description:
          "{{ $value | humanizePercentage }} of the packages of {{ $labels.shard }} came from the cache of " +
          "{{ $labels.scale_set }}. A new Go version does that once; where it stays so, shards meet other lanes than their own, " +
          "the collector's budget is too small, or an input differs: `kiln cache explain` names it.",
      },
    },
  ];
}
