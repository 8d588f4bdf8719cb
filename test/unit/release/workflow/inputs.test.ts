import { describe, expect, it } from "vitest";
import { checkedInputs, givenInputs } from "../../../../release/workflow/inputs.ts";
import type { Input } from "../../../../release/workflow/trigger.ts";

const input = (more: Partial<Input>): Input => ({ type: "string", required: false, options: [], ...more });
const declared = {
  push: input({ type: "boolean" }),
  count: input({ type: "number", default: 3 }),
  mode: input({ type: "choice", options: ["registry", "artifacts"], default: "registry" }),
  registry: input({ required: true }),
};

describe("inputs of a called workflow", () => {
  it("have the declared kinds and defaults", () => {
    expect(checkedInputs(declared, { push: "true", registry: 5 }, "w.yml")).toEqual({
      ...{ push: true, count: 3, mode: "registry", registry: "5" },
    });
  });

  it.each([
    [{ registry: "a", other: "b" }, "w.yml takes no input other"],
    [{}, "w.yml needs the input registry"],
    [{ registry: "a", push: "yes" }, 'the input push is "yes"'],
    [{ registry: "a", count: "many" }, 'the input count is "many"'],
    [{ registry: "a", mode: "disk" }, 'the input mode is "disk"'],
  ])("are refused: %j", (given, message) => {
    expect(() => checkedInputs(declared, given, "w.yml")).toThrow(message);
  });
});

describe("inputs of a run that a tag starts", () => {
  it("are those that were given: defaults and duties are for people who start it on GitHub", () => {
    expect(givenInputs(declared, {}, "w.yml")).toEqual({});
    expect(givenInputs(declared, { push: "false" }, "w.yml")).toEqual({ push: false });
  });

  it("must be declared", () => {
    expect(() => givenInputs(declared, { other: "1" }, "w.yml")).toThrow(/takes no input other/);
    expect(() => givenInputs(undefined, { other: "1" }, "w.yml")).toThrow("w.yml takes no input other");
  });
});
