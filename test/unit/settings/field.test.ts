import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  choiceOf,
  countOf,
  flagOf,
  isSilent,
  listOf,
  mapOf,
  requiredText,
  section,
  textOf,
  type Field,
} from "../../../settings/field.ts";

const at = (value: unknown, about: Partial<Field> = {}): Field => ({ file: "f", key: "kiln:k", value, ...about });
const CHOICES = ["lane", "node"] as const;

describe("a value that is not set", () => {
  it.each([undefined, null])("is the default, or nothing: %s", (value) => {
    expect(flagOf(at(value), true)).toBe(true);
    expect(choiceOf(at(value), CHOICES, "node")).toBe("node");
    expect(countOf(at(value), 1)).toBeUndefined();
    expect(textOf(at(value))).toBeUndefined();
    expect(listOf(at(value), textOf)).toEqual([]);
    expect(mapOf(at(value), textOf)).toEqual({});
    expect(isSilent(at(value))).toBe(true);
    expect(() => requiredText(at(value), "Set it")).toThrow("f: kiln:k is not set");
  });

  it("is a name in a section with nothing behind it, too", () => {
    const field = section(at({ a: null, c: 0 }), ["a", "b", "c"]);
    expect([field("a"), field("b"), field("c")].map(({ value }) => value)).toEqual([undefined, undefined, 0]);
  });
});

describe("a value", () => {
  it.each<[unknown, boolean]>([
    [true, true],
    ["true", true],
    [false, false],
    ["false", false],
  ])("%j is the truth value %s", (value, flag) => {
    expect(flagOf(at(value), !flag)).toBe(flag);
  });

  it("is a whole number from the least on, as a number or its digits", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.boolean(), (number, least, text) => {
        const read = () => countOf(at(text ? String(number) : number), least);
        if (number >= least) expect(read()).toBe(number);
        else expect(read).toThrow(`f: kiln:k must be a whole number of at least ${least}`);
      }),
    );
  });

  it.each([-1, 1.5, 2 ** 53, Number.NaN, "1e3", "0x1", " 1", "", true, [], {}])("%j is no count", (value) => {
    expect(() => countOf(at(value))).toThrow("f: kiln:k must be a whole number of at least 0");
  });

  it.each<[string, () => unknown, string]>([
    ["flag", () => flagOf(at("yes"), true), 'must be true or false, but is "yes"'],
    ["choice", () => choiceOf(at("lanes"), CHOICES, "node"), 'is "lanes", which is none of its values'],
    ["text", () => textOf(at(1.5)), "must be text, but is the number 1.5"],
    ["text", () => textOf(at([])), "must be text, but is a list"],
    ["list", () => listOf(at({}), textOf), "must be a list, but is a map"],
    ["map", () => mapOf(at("x"), textOf), 'must be a map of settings, but is "x"'],
    ["map", () => section(at([1]), ["a"]), "must be a map of settings, but is a list"],
  ])("that is no %s is refused", (_, read, problem) => {
    expect(read).toThrow(`f: kiln:k ${problem}`);
  });
});

describe("a value that may be a secret", () => {
  const hidden = { confidential: true };

  it.each<[string, unknown, string]>([
    ["a text", "hunter2", "must be a map of settings, but is a string"],
    ["a number", 5318008, "must be a map of settings, but is a number"],
    ["a list", ["hunter2"], "must be a map of settings, but is a list"],
  ])("is named by its kind alone: %s", (_, value, problem) => {
    expect(() => section(at(value, hidden), ["a"])).toThrow(`f: kiln:k ${problem}`);
  });

  it("is not repeated in what to do either, and neither is what is inside", () => {
    const inside = [section(at({ a: 5318008 }, hidden), ["a"])("a")];
    mapOf(at({ a: 5318008 }, hidden), (field) => inside.push(field));
    listOf(at([5318008], hidden), (field) => inside.push(field));
    expect(inside).toHaveLength(3);
    for (const field of inside) {
      expect(() => textOf(field)).toThrow(
        expect.objectContaining({
          message: `f: ${field.key} must be text, but is a number`,
          mend: "Write it in quotes",
        }) as Error,
      );
    }
  });
});

describe("a section", () => {
  it("gives its fields with their place", () => {
    expect(section(at({ a: 1 }), ["a"])("a")).toEqual({ file: "f", key: "kiln:k.a", value: 1 });
    expect(section({ file: "f", key: "kiln:", value: { a: 1 } }, ["a"])("a").key).toBe("kiln:a");
    expect(section(at('{"a": 1}'), ["a"])("a").value).toBe(1);
  });

  it.each([
    ["replica", "Did you mean kiln:k.replicas?"],
    ["REPLICAS", "Did you mean kiln:k.replicas?"],
    ["nodes", "Remove it: the settings here are replicas, version"],
  ])("knows no name but its own: %s", (name, mend) => {
    expect(() => section(at({ [name]: 1 }), ["replicas", "version"])).toThrow(
      expect.objectContaining({ message: `f: kiln:k.${name} is not a setting`, mend }) as Error,
    );
  });
});

describe("maps and lists", () => {
  it("have the place of each value", () => {
    expect(mapOf(at({ a: "x", "b.c": "y" }), ({ key }) => key)).toEqual({ a: "kiln:k.a", "b.c": "kiln:k.b.c" });
    expect(listOf(at(["x", "y"]), ({ key }) => key)).toEqual(["kiln:k[0]", "kiln:k[1]"]);
  });

  it("keep any name, as a name alone", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1 }), fc.string()), (values) => {
        fc.pre(Object.keys(values).every((name) => !/[\r\n\u2028\u2029]/.test(name[0] ?? "")));
        expect(Object.entries(mapOf(at(values), textOf))).toEqual(Object.entries(values));
      }),
    );
  });

  it("refuse names that cannot be used", () => {
    const named = { pattern: /^[a-z]+$/, mend: "Use letters" };
    expect(() => mapOf(at({ a: 1, "B!": 2 }), ({ value }) => value, named)).toThrow(
      expect.objectContaining({ message: "f: kiln:k.B! has a name that cannot be used", mend: "Use letters" }) as Error,
    );
  });
});
