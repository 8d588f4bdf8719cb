import { describe, expect, it } from "vitest";
import type { Figure, Found } from "../../../bench/figure.ts";
import { makeReport, verdict } from "../../../bench/report.ts";
import { reportText } from "../../../bench/table.ts";

const results = {
  result: () => {
    throw new Error("no step runs here");
  },
  maybe: () => undefined,
};

function figure(key: string, bounds: Figure["bounds"], find: () => Found): Figure {
  return { key, bounds, needs: [], find };
}

const single = figure("warm_wall", [{ name: "", about: "cold", limit: 0.7, unit: "x" }], () => ({
  values: { "": 0.6 },
  figures: { warm_wall_kiln_seconds: 60, warm_wall_published_bytes: 2_000_000 },
}));
const double = figure(
  "ship",
  [
    { name: "wall", about: "time", limit: 0.15, unit: "x" },
    { name: "bytes", about: "bytes", limit: 0.1, unit: "x" },
  ],
  () => ({ values: { wall: 0.2 }, figures: {}, missing: { bytes: "nobody counted" } }),
);
const lost = figure("aged", [{ name: "", about: "old", limit: 0, unit: "" }], () => results.result());

describe("makeReport", () => {
  it("has a figure of one bound as a number, and one of several as an object and each by itself", () => {
    const { ratios, figures } = makeReport([single, double], results);
    expect(ratios).toEqual({ warm_wall: 0.6, ship: { wall: 0.2 }, ship_wall: 0.2 });
    expect(figures).toEqual({ warm_wall_kiln_seconds: 60, warm_wall_published_bytes: 2_000_000 });
  });

  it("says why a value is missing, and goes on with the others", () => {
    expect(makeReport([lost, double, single], results)).toMatchObject({
      missing: { aged: "no step runs here", ship_bytes: "nobody counted" },
      ratios: { warm_wall: 0.6 },
    });
  });

  it("takes what is no number for missing", () => {
    const broken = { ...single, find: () => ({ values: { "": NaN }, figures: {} }) };
    expect(makeReport([broken], results)).toMatchObject({ ratios: {}, missing: { warm_wall: "it was not measured" } });
  });
});

describe("verdict", () => {
  const row = { name: "", figure: "f", about: "", unit: "x" as const };

  it("is met at the limit, and within both ends where there are two", () => {
    expect(verdict({ ...row, limit: 0.7, value: 0.7 })).toBe("met");
    expect(verdict({ ...row, limit: 0.7, value: 0.71 })).toBe("missed");
    expect(verdict({ ...row, limit: 1.15, least: 0.85, value: 0.8 })).toBe("missed");
    expect(verdict({ ...row, limit: 1.15, least: 0.85, value: 1 })).toBe("met");
  });

  it("is none without a target or a value", () => {
    expect(verdict({ ...row, limit: undefined, value: 3 })).toBe("");
    expect(verdict({ ...row, limit: 1 })).toBe("");
  });
});

describe("reportText", () => {
  it("shows targets, values, verdicts, raw figures with units, and reasons", () => {
    const text = reportText(makeReport([single, double, lost], results));
    expect(text).toMatch(/^warm_wall +at most 0\.70x +0\.60x +met +cold$/m);
    expect(text).toMatch(/^ship \(wall\) +at most 0\.15x +0\.20x +missed/m);
    expect(text).toMatch(/^aged +at most 0 +missing/m);
    expect(text).toMatch(/^warm_wall_kiln_seconds +60\.00 s$/m);
    expect(text).toMatch(/^warm_wall_published_bytes +2\.0 MB$/m);
    expect(text).toContain("aged: no step runs here");
  });
});
