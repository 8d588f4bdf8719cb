import { describe, expect, it } from "vitest";
import { CHECK_TIMES, checkTimes } from "../../../cli/cache/check-times.ts";

const check = { directory: "m", compiled: [], firstSeconds: 2.51 };

describe("checkTimes", () => {
  it.each([
    ["a build", check, ["2.5 s", "", ""]],
    ["two builds and a binary", { ...check, secondSeconds: 0.52, startSeconds: 0.016 }, ["2.5 s", "0.5 s", "0.02 s"]],
    ["a binary alone", { ...check, firstSeconds: 0, startSeconds: 0.016 }, ["", "", "0.02 s"]],
    ["a build that was not timed", { ...check, firstSeconds: 0 }, ["0.0 s", "", ""]],
  ])("tells of %s", (_, tried, times) => {
    expect(checkTimes(tried)).toEqual(times);
    expect(CHECK_TIMES).toHaveLength(times.length);
  });
});
