import type { Figure, Found } from "../figure.ts";
import { makespanSteps, RUNNERS, type PlannedShards } from "../methods/makespan.ts";

/** `makespan_8`: eight shards, each timed alone. */
export function makespan(): Figure {
  const { plan, base, shards } = makespanSteps();
  return {
    key: "makespan_8",
    bounds: [
      { name: "ideal", about: "longest of 8 shards, of max(critical path, total/8)", limit: 1.15, unit: "x" },
      {
        name: "predicted",
        about: "longest of 8 shards, of the plan's prediction",
        limit: 1.15,
        least: 0.85,
        unit: "x",
      },
    ],
    needs: [plan, base, ...shards],
    find: ({ result }) =>
      makespanOf(
        result(plan),
        result(base),
        shards.map((shard) => result(shard)),
      ),
  };
}

/** The ratios, from a plan, and the seconds of its base and of its shards alone. */
export function makespanOf(plan: PlannedShards, base: number, seconds: readonly number[]): Found {
  const longest = Math.max(...seconds);
  const share = seconds.reduce((total, one) => total + one, 0) / RUNNERS;
  const ideal = Math.max(criticalPath(plan), share);
  const expected = Math.max(...plan.shards.map(({ predicted }) => predicted));
  return {
    values: { ideal: longest / ideal, predicted: longest / expected },
    figures: {
      makespan_8_longest_shard_seconds: longest,
      makespan_8_predicted_seconds: expected,
      makespan_8_critical_path_seconds: criticalPath(plan),
      makespan_8_total_over_8_seconds: share,
      makespan_8_shards_seconds: Object.fromEntries(
        plan.shards.map(({ id, predicted }, index) => [
          id,
          { measured_seconds: seconds[index] ?? 0, predicted_seconds: predicted },
        ]),
      ),
      makespan_8_base_seconds: base,
      makespan_8_base_predicted_seconds: plan.base,
      makespan_8_with_base_first_seconds: base + longest,
    },
  };
}

/**
 * The longest chain of imports in seconds, where it decides: what the plan calls the least that any division could take is
 * the larger of that chain and an equal share of all work. Where the share is larger, 0.
 */
export function criticalPath({ least, shards, cores }: PlannedShards): number {
  const share = shards.reduce((total, { cpu }) => total + cpu, 0) / (cores * RUNNERS);
  return least > share ? least : 0;
}
