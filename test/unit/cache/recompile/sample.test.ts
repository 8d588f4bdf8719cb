import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { escapeProbability, parseShare, sampleActions } from "../../../../cache/recompile/sample.ts";
import { sha256 } from "../cache-directory.ts";

const actionsOf = (count: number) => Array.from({ length: count }, (_, index) => sha256(`action ${index}`));

describe("parseShare", () => {
  it.each([
    ["all", "all"],
    ["10", 0.1],
    ["2.5%", 0.025],
    ["100", 1],
  ])("reads %s", (text, share) => {
    expect(parseShare(text)).toBe(share);
  });

  it.each(["0", "101", "-3", "ten", "", "10 %", "1e1"])("refuses %j", (text) => {
    expect(() => parseShare(text)).toThrow(/neither "all" nor a percentage/);
  });
});

describe("sampleActions", () => {
  it("takes all, or as many as the share says, rounded up, whatever the order they come in", () => {
    const arbitrary = [fc.integer({ min: 0, max: 200 }), fc.integer({ min: 1, max: 100 }), fc.nat()] as const;
    fc.assert(
      fc.property(...arbitrary, (count, percent, seed) => {
        const actions = actionsOf(count);
        expect(sampleActions(actions, "all", seed)).toEqual(new Set(actions));
        const drawn = sampleActions(actions, percent / 100, seed);
        expect(drawn.size).toBe(Math.ceil((count * percent) / 100));
        expect([...drawn].every((action) => actions.includes(action))).toBe(true);
        expect(sampleActions(actions.toReversed(), percent / 100, seed)).toEqual(drawn);
      }),
      { numRuns: 60 },
    );
  });

  it("draws other actions with another seed", () => {
    const actions = actionsOf(200);
    expect(sampleActions(actions, 0.1, 1)).not.toEqual(sampleActions(actions, 0.1, 2));
  });

  // Fixed seeds: five standard deviations of a fair draw, so that an unfair one fails and this one always passes.
  it.each([0.02, 0.1, 0.5])("draws every action as often as any other: a share of %d", (share) => {
    const actions = actionsOf(100);
    const runs = 2000;
    const times = new Map(actions.map((action) => [action, 0]));
    for (let seed = 0; seed < runs; seed += 1) {
      for (const action of sampleActions(actions, share, seed)) times.set(action, (times.get(action) ?? 0) + 1);
    }
    const deviation = Math.sqrt(runs * share * (1 - share));
    for (const count of times.values()) expect(Math.abs(count - runs * share)).toBeLessThan(5 * deviation);
  });

  it.each([1, 3])("misses %d forged entries as often as it says", (forged) => {
    const actions = actionsOf(60);
    const planted = actions.slice(7, 7 + forged);
    const runs = 4000;
    let escaped = 0;
    for (let seed = 0; seed < runs; seed += 1) {
      const drawn = sampleActions(actions, 0.25, seed);
      if (!planted.some((action) => drawn.has(action))) escaped += 1;
    }
    const expected = escapeProbability(15, 60, forged);
    expect(Math.abs(escaped / runs - expected)).toBeLessThan(5 * Math.sqrt((expected * (1 - expected)) / runs));
  });
});

describe("escapeProbability", () => {
  it("is that of drawing without putting back", () => {
    expect(escapeProbability(10, 100)).toBeCloseTo(0.9, 10);
    expect(escapeProbability(10, 100, 2)).toBeCloseTo((90 / 100) * (89 / 99), 10);
    expect(escapeProbability(100, 100)).toBe(0);
    expect(escapeProbability(9, 10, 2)).toBe(0);
    expect(escapeProbability(0, 0)).toBe(0);
  });
});
