import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isCronSchedule } from "../../../runners/cron-schedule.ts";

describe("a schedule that a CronJob takes", () => {
  it.each([
    ...["17 3 * * *", "*/30 0-6,12 1 jan-mar MON", "15 4 * * 1-5", "0 0 ? * SUN-sat", "10-40/10 5/2 31 12 6"],
    ...["@daily", "@weekly", " 0 3  * * 0 ", "59 23 31 DEC 0", "00 03 01 1 *"],
  ])("is %j", (schedule) => {
    expect(isCronSchedule(schedule)).toBe(true);
  });

  it.each([
    ...["", "nightly", "@nightly", "@every 1h", "0 5 * *", "0 5 * * * *", "TZ=UTC 0 5 * * *"],
    ...["60 3 * * *", "0 24 * * *", "0 3 0 * *", "0 3 32 * *", "0 3 * 0 *", "0 3 * 13 *", "0 3 * * 7"],
    ...["30-10 3 * * *", "*/0 3 * * *", "1-2-3 3 * * *", "1/2/3 3 * * *", "*-5 3 * * *", "1- 3 * * *", "-1 3 * * *"],
    ...["1,,2 3 * * *", ", 3 * * *", "1.5 3 * * *", "mon 3 * * *", "0 3 * mon *", "0 3 * * jan", "0 3 * * fri-mon"],
  ])("is not %j", (schedule) => {
    expect(isCronSchedule(schedule)).toBe(false);
  });

  it("has every field within its range", () => {
    const ranges = [
      [0, 59],
      [0, 23],
      [1, 31],
      [1, 12],
      [0, 6],
    ] as const;
    const field = fc.integer({ min: 0, max: 4 });
    fc.assert(
      fc.property(field, fc.integer({ min: 0, max: 99 }), (index, number) => {
        const [least, most] = ranges[index] ?? [0, 0];
        const schedule = ["*", "*", "*", "*", "*"].with(index, String(number)).join(" ");
        expect(isCronSchedule(schedule)).toBe(least <= number && number <= most);
      }),
    );
  });
});
