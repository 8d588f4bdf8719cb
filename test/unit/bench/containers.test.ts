import { describe, expect, it } from "vitest";
import { median, parseBuilds } from "../../../bench/containers.ts";

describe("parseBuilds", () => {
  it("reads seconds and compile actions of each build, in order", () => {
    expect(parseBuilds("bench-build 1500000 0 0\nbench-build 250000 12 0\n", 2)).toEqual([
      { seconds: 1.5, compiled: 0 },
      { seconds: 0.25, compiled: 12 },
    ]);
  });

  it("says what Go said of a build that failed, and of that one alone", () => {
    const text = "bench-build 1000000 3 1\nbench-error main.go:1: no\nbench-error more\nbench-build 2000000 0 0\n";
    const [failed, sound] = parseBuilds(text, 2);
    expect(failed?.error).toBe("go build exited with 1: main.go:1: no\nmore");
    expect(sound).toEqual({ seconds: 2, compiled: 0 });
  });

  it("throws where a build is missing", () => {
    expect(() => parseBuilds("bench-build 1 0 0\n", 2)).toThrow(/of 2 builds in a container 1 ended/);
    expect(() => parseBuilds("", 1)).toThrow();
  });
});

describe("median", () => {
  it("is the middle value, or the mean of the two in the middle", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([7])).toBe(7);
    expect(() => median([])).toThrow(RangeError);
  });
});
