import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { squarify, type Rectangle } from "../../../../cache/report/squarify.ts";

const side = fc.double({ min: 1, max: 5000, noNaN: true });
const frame = fc.record({
  x: fc.integer({ min: -50, max: 50 }),
  y: fc.integer({ min: 0, max: 50 }),
  width: side,
  height: side,
});
const amounts = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 1e9 })), { maxLength: 80 });

const overlap = (a: Rectangle, b: Rectangle) =>
  Math.max(0, Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x)) *
  Math.max(0, Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y));

describe("squarify", () => {
  it("gives each value an area in proportion", () => {
    fc.assert(
      fc.property(amounts, frame, (values, within) => {
        const total = values.reduce((sum, value) => sum + value, 0);
        const area = within.width * within.height;
        for (const [index, place] of squarify(values, within).entries()) {
          const wanted = total === 0 ? 0 : ((values[index] ?? 0) / total) * area;
          expect(Math.abs(place.width * place.height - wanted)).toBeLessThanOrEqual(area * 1e-9);
        }
      }),
    );
  });

  it("stays inside, and puts nothing on top of another", () => {
    fc.assert(
      fc.property(amounts, frame, (values, within) => {
        const slack = Math.max(within.width, within.height) * 1e-9;
        const places = squarify(values, within);
        expect(places).toHaveLength(values.length);
        for (const [index, place] of places.entries()) {
          expect(place.x).toBeGreaterThanOrEqual(within.x - slack);
          expect(place.y).toBeGreaterThanOrEqual(within.y - slack);
          expect(place.x + place.width).toBeLessThanOrEqual(within.x + within.width + slack);
          expect(place.y + place.height).toBeLessThanOrEqual(within.y + within.height + slack);
          for (const other of places.slice(index + 1)) {
            expect(overlap(place, other)).toBeLessThanOrEqual(within.width * within.height * 1e-9);
          }
        }
      }),
    );
  });

  it("divides as the paper's example does", () => {
    const places = squarify([6, 6, 4, 3, 2, 2, 1], { x: 0, y: 0, width: 6, height: 4 });
    const rounded = places.map(({ x, y, width, height }) =>
      [x, y, width, height].map((value) => Number(value.toFixed(2))),
    );
    expect(rounded.slice(0, 4)).toEqual([
      [0, 0, 3, 2],
      [0, 2, 3, 2],
      [3, 0, 1.71, 2.33],
      [4.71, 0, 1.29, 2.33],
    ]);
  });

  it("makes equal values in a square nearly square", () => {
    for (const { width, height } of squarify(Array<number>(16).fill(1), { x: 0, y: 0, width: 400, height: 400 })) {
      expect(Math.max(width / height, height / width)).toBeLessThan(1.01);
    }
  });
});
