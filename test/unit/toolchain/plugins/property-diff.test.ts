import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { propertyDiff } from "../../../../toolchain/plugins/property-diff.ts";
import { secret, UNKNOWN, type Properties } from "../../../../toolchain/plugins/property-values.ts";

describe("what differs between two states of properties", () => {
  it.each<[string, Properties, Properties, Record<string, string>]>([
    ["nothing", { a: [{ b: 1 }], c: null }, { a: [{ b: 1 }], c: null }, {}],
    ["a new one", {}, { a: 1 }, { a: "add" }],
    ["one that is gone", { a: 1 }, {}, { a: "delete" }],
    ["a value inside", { a: { b: [1, { c: 2 }] } }, { a: { b: [1, { c: 3 }] } }, { "a.b[1].c": "update" }],
    ["one that is new inside", { a: {} }, { a: { b: 1 } }, { "a.b": "add" }],
    ["a name that needs quotes", { a: { "x.y/z": 1 } }, { a: { "x.y/z": 2 } }, { 'a["x.y/z"]': "update" }],
    ["a list of another length", { a: [1, 2] }, { a: [1] }, { a: "update" }],
    ["another kind of value", { a: [1] }, { a: { 0: 1 } }, { a: "update" }],
    ["a secret that is the same", { a: secret({ b: 1 }) }, { a: secret({ b: 1 }) }, {}],
    ["a secret that is another", { a: secret({ b: 1 }) }, { a: secret({ b: 2 }) }, { a: "update" }],
    ["a value that became secret", { a: 1 }, { a: secret(1) }, { a: "update" }],
    ["a value that ceased to be secret", { a: secret(1) }, { a: 1 }, { a: "update" }],
    ["what nobody knows yet", { a: 1 }, { a: UNKNOWN }, { a: "update" }],
  ])("%s", (_, before, after, expected) => {
    expect(propertyDiff(before, after)).toEqual(expected);
  });

  it("is nothing for equal states, and something for others", () => {
    const states = fc.dictionary(fc.stringMatching(/^[a-z]+$/), fc.jsonValue());
    fc.assert(
      fc.property(states, states, (before, after) => {
        expect(propertyDiff(before, structuredClone(before))).toEqual({});
        const changed = Object.keys(propertyDiff(before, after)).length > 0;
        expect(changed).toBe(JSON.stringify(sorted(before)) !== JSON.stringify(sorted(after)));
      }),
    );
  });
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([key, inner]) => [key, sorted(inner)]);
}
