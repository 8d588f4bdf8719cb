import type { Plan, PlanPrediction } from "../../cache/plan.ts";
import { duration, size, table } from "../printer.ts";

/** A plan for a person: its shards, then what numbers of runners would take. */
export function planText({ shards, predicted }: Plan): string {
  const rows = shards.map(({ id, programs, packages, cost, predicted: expected }) => [
    id,
    String(programs.length),
    String(Object.keys(packages).length),
    duration(cost),
    expected === undefined ? "" : duration(expected.wall),
    expected === undefined ? "" : duration(expected.alone),
  ]);
  const head = ["shard", "programs", "packages", "CPU time", "after the base", "from nothing"];
  return [table([head, ...rows]), ...(predicted === undefined ? [] : ["", predictionText(predicted)])].join("\n");
}

function predictionText({ cores, measured, runners, memory }: PlanPrediction): string {
  const rows = runners.map((one) => [
    String(one.runners),
    duration(one.base),
    duration(one.shards),
    duration(one.base + one.shards),
    duration(one.alone),
    duration(one.cpu),
  ]);
  const head = ["runners", "base", "then shards", "together", "without base", "CPU time"];
  const basis =
    measured >= 0.995 ? "measured" : `${Math.floor(100 * measured)}% measured, the rest estimated by source`;
  const needs = Object.entries(memory?.packages ?? {}).map(([key, bytes]) => `  ${key}: about ${size(bytes)}`);
  return [
    `Evenly divided, runners of ${cores} ${cores === 1 ? "core" : "cores"} (compile times ${basis}):`,
    table([head, ...rows]),
    ...(needs.length > 0 ? [`Need more than a runner's ${size(memory?.bytes ?? 0)} of memory:`, ...needs] : []),
  ].join("\n");
}
