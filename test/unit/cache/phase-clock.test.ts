import { setTimeout } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { phaseClock } from "../../../cache/phase-clock.ts";

describe("phaseClock", () => {
  it("times work, gives what it gives, and adds what belongs to one phase", async () => {
    const clock = phaseClock();
    expect(await clock("plan", () => setTimeout(120, "made"))).toBe("made");
    clock.add("compile", 1.26);
    clock.add("compile", 2);
    expect(clock.seconds.compile).toBe(3.3);
    expect(clock.seconds.plan).toBeGreaterThanOrEqual(0.1);
    expect(Object.keys(clock.seconds)).toEqual(["plan", "compile"]);
  });

  it("times work that fails", async () => {
    const clock = phaseClock();
    await expect(clock("verify", () => Promise.reject(new Error("not warm")))).rejects.toThrow("not warm");
    expect(Object.keys(clock.seconds)).toEqual(["verify"]);
  });
});
