import fc from "fast-check";
import { expect, it } from "vitest";
import { quantile } from "../../../../bench/modules/quantile.ts";

it("gives the nearest rank", () => {
  const twenty = Array.from({ length: 20 }, (_, at) => 20 - at);
  expect(quantile(twenty, 0.95)).toBe(19);
  expect(quantile(twenty, 0.5)).toBe(10);
  expect(quantile(twenty, 1)).toBe(20);
  expect(quantile([7], 0.95)).toBe(7);
  expect(() => quantile([], 0.95)).toThrow("no value");
});

it("is a value that at most the rest exceeds", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer(), { minLength: 1 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (values, share) => {
        const found = quantile(values, share);
        expect(values).toContain(found);
        const above = values.filter((value) => value > found).length;
        expect(above).toBeLessThanOrEqual(values.length * (1 - share) + 1e-9);
      },
    ),
  );
});
