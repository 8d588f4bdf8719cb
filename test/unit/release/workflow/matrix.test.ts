import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expandMatrix, matrixLabel } from "../../../../release/workflow/matrix.ts";
import type { Value } from "../../../../release/workflow/value.ts";

const expand = (matrix: Value) => expandMatrix(matrix, "jobs.warm.strategy.matrix");

describe("matrices", () => {
  it("combines lists in their order", () => {
    expect(expand({ os: ["a", "b"], go: [1, 2] })).toEqual([
      { os: "a", go: 1 },
      { os: "a", go: 2 },
      { os: "b", go: 1 },
      { os: "b", go: 2 },
    ]);
  });

  it("takes the entries of include alone", () => {
    const include = [
      { shard: "aws", runs_on: "lane-0" },
      { shard: "gcp", runs_on: "lane-1" },
    ];
    expect(expand({ include })).toEqual(include);
  });

  it("does with include what GitHub's documentation shows", () => {
    const include = [
      { color: "green" },
      { color: "pink", animal: "cat" },
      { fruit: "apple", shape: "circle" },
      { fruit: "banana" },
      { fruit: "banana", animal: "cat" },
    ];
    expect(expand({ fruit: ["apple", "pear"], animal: ["cat", "dog"], include })).toEqual([
      { fruit: "apple", animal: "cat", color: "pink", shape: "circle" },
      { fruit: "apple", animal: "dog", color: "green", shape: "circle" },
      { fruit: "pear", animal: "cat", color: "pink" },
      { fruit: "pear", animal: "dog", color: "green" },
      { fruit: "banana" },
      { fruit: "banana", animal: "cat" },
    ]);
  });

  it("leaves out what exclude names, in whole or in part", () => {
    expect(expand({ os: ["a", "b"], go: [1, 2], exclude: [{ os: "a", go: 2 }, { os: "b" }] })).toEqual([
      { os: "a", go: 1 },
    ]);
  });

  it.each([
    ["", /jobs\.warm\.strategy\.matrix is empty/],
    [{ include: [] }, /has no combination/],
    [{ os: "a" }, /matrix\.os is no list/],
    [{ include: ["a"] }, /matrix\.include is no list of maps/],
    [{ n: Array.from({ length: 257 }, (_, index) => index) }, /has 257 combinations/],
  ] as const)("refuses %j", (matrix, message) => {
    expect(() => expand(matrix)).toThrow(message);
  });

  it("has as many combinations as the product of its lists", () => {
    const list = fc.array(fc.integer(), { minLength: 1, maxLength: 6 });
    fc.assert(fc.property(list, list, (a, b) => expand({ a, b }).length === a.length * b.length));
  });

  it("is labelled by its values", () => {
    expect(matrixLabel({ shard: "aws", n: 2, deep: { a: 1 } })).toBe(' (aws, 2, {"a":1})');
    expect(matrixLabel({})).toBe("");
  });
});
