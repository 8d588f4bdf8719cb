import { expect, it } from "vitest";
import { timelineOf, type TimelineJob } from "../../../../release/workflow/timeline.ts";

const job = (
  key: string,
  from: number | undefined,
  to: number,
  after: readonly string[] = [],
  more: Partial<TimelineJob> = {},
): TimelineJob => ({
  ...{ key, title: key, result: "success" as const, after, recalled: false },
  ...(from !== undefined && { startedAt: 1_000_000 + from, endedAt: 1_000_000 + to }),
  ...more,
});

it("shows when each job ran, and which of them decided how long it took", () => {
  const timeline = timelineOf([
    job("compose", 9_000, 10_000, ["warm a", "warm b"], { bytes: { read: 1, written: 2 } }),
    job("plan", 0, 2_000),
    job("warm a", 2_000, 4_000, ["plan"]),
    job("warm b", 4_000, 8_000, ["plan"], { result: "failure" }),
    job("verify", undefined, 0, [], { result: "skipped" }),
    job("base", -50_000, -40_000, [], { recalled: true }),
  ]);
  expect(timeline.rows.map(({ title, start, seconds, result, bar }) => [title, start, seconds, result, bar])).toEqual([
    ["base", undefined, 10, "success", ""],
    ["plan", 0, 2, "success", "████████································"],
    ["warm a", 2, 2, "success", "········████████························"],
    ["warm b", 4, 4, "failure", "················████████████████········"],
    ["compose", 9, 1, "success", "····································████"],
    ["verify", undefined, undefined, "skipped", ""],
  ]);
  expect(timeline.rows.at(-2)?.bytes).toEqual({ read: 1, written: 2 });
  expect(timeline.criticalPath).toEqual([
    { title: "plan", seconds: 2 },
    { title: "warm b", seconds: 4 },
    { title: "compose", seconds: 1 },
  ]);
  expect(timeline).toMatchObject({ seconds: 10, waited: 3 });
});

it("has bars of one width, in which the shortest job shows", () => {
  const { rows } = timelineOf([job("long", 0, 1_000_000), job("short", 999_999, 1_000_000), job("none", 5, 5)]);
  expect(rows.map(({ bar }) => [bar.length, bar.includes("█")])).toEqual([
    [40, true],
    [40, true],
    [40, true],
  ]);
});

it("is empty for a run in which nothing ran", () => {
  expect(timelineOf([])).toEqual({ rows: [], criticalPath: [], seconds: 0, waited: 0 });
});
