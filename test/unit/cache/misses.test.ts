import { describe, expect, it } from "vitest";
import { describeMisses } from "../../../cache/misses.ts";
import { verificationOf } from "../../../cache/verification.ts";

const check = (directory: string, more = {}) => ({ directory, compiled: [], firstSeconds: 1, ...more });

describe("describeMisses", () => {
  it("has a line for each program that is not warm, with what was compiled and what Go said", () => {
    const verification = verificationOf([
      check("m/aws/warm"),
      check("m/aws/x", { compiled: ["fmt", "net"] }),
      check("m/aws/y", { compiled: ["fmt"], error: "go build exited with 1" }),
      check("m/aws/z", { error: "broken" }),
    ]);
    expect(describeMisses(verification).split("\n")).toEqual([
      "  m/aws/x: compiled 2: fmt, net",
      "  m/aws/y: compiled 1: fmt; go build exited with 1",
      "  m/aws/z: broken",
    ]);
  });

  it("shortens long lists", () => {
    const compiled = Array.from({ length: 20 }, (_, index) => `p${index}`);
    expect(describeMisses(verificationOf([check("m", { compiled })]))).toMatch(
      /^ {2}m: compiled 20: p0, .*p11 and 8 more/,
    );
  });
});
