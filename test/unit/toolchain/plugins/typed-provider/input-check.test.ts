import { describe, expect, it } from "vitest";
import { secret, UNKNOWN, type Properties } from "../../../../../toolchain/plugins/property-values.ts";
import type { Members } from "../../../../../toolchain/plugins/typed-provider/declared-types.ts";
import { inputFailures } from "../../../../../toolchain/plugins/typed-provider/input-check.ts";

const MEMBERS: Members = {
  name: { required: true, shape: { kind: "text" } },
  ids: { required: false, shape: { kind: "list", of: { kind: "number" } } },
  tags: { required: false, shape: { kind: "map", of: { kind: "text" } } },
  rules: { required: false, shape: { kind: "list", of: { kind: "object", name: "Rule" } } },
  code: { required: false, shape: { kind: "any" } },
};
const RULE: Members = { kind: { required: true, shape: { kind: "text" } } };
const objects = (name: string) => (name === "Rule" ? RULE : undefined);

describe("inputs against declared types", () => {
  it.each<[string, Properties]>([
    ["the required ones", { name: "a" }],
    ["all", { name: "a", ids: [1], tags: { x: "y" }, rules: [{ kind: "b" }], code: { any: ["thing"] } }],
    ["texts for numbers and numbers for texts, as official providers take them", { name: 1, ids: ["2"] }],
    ["what nobody knows yet", { name: UNKNOWN, ids: UNKNOWN, rules: [UNKNOWN, { kind: UNKNOWN }] }],
    ["secrets", { name: secret("a"), rules: secret([{ kind: secret("b") }]) }],
    ["optional ones that are null", { name: "a", ids: null }],
  ])("pass with %s", (_, inputs) => {
    expect(inputFailures(inputs, MEMBERS, objects)).toEqual([]);
  });

  it.each<[string, Properties, string, string]>([
    ["a missing one", {}, "name", "it is required, and missing"],
    ["a required one that is null", { name: null }, "name", "it is required, and missing"],
    ["an unknown one", { name: "a", nmae: "b" }, "nmae", "there is no such property: name, ids, tags, rules, code"],
    ["a missing one inside", { name: "a", rules: [{ kind: "b" }, {}] }, "rules[1].kind", "it is required, and missing"],
    [
      "an unknown one inside a secret",
      { name: "a", rules: secret([{ kind: "b", x: 1 }]) },
      "rules[0].x",
      "there is no such property: kind",
    ],
    ["no list", { name: "a", ids: 1 }, "ids", "it must be a list"],
    ["no map", { name: "a", tags: ["x"] }, "tags", "it must be a map"],
    ["no object", { name: "a", rules: ["x"] }, "rules[0]", "it must be an object"],
    ["a list for a text", { name: ["a"] }, "name", "it must be a text"],
    ["a map for a number", { name: "a", ids: [{}] }, "ids[0]", "it must be a number"],
  ])("fail with %s", (_, inputs, property, reason) => {
    expect(inputFailures(inputs, MEMBERS, objects)).toEqual([{ property, reason }]);
  });

  it("never repeat a value, which may be secret", () => {
    const failures = inputFailures({ name: ["hidden"], hidden2: "hidden", tags: secret("hidden") }, MEMBERS, objects);
    expect(failures).toHaveLength(3);
    expect(JSON.stringify(failures.map(({ reason }) => reason))).not.toContain("hidden");
  });
});
