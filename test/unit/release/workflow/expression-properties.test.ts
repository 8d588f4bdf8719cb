import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { interpolate, valueOf, type Scope } from "../../../../release/workflow/expression.ts";
import type { Value } from "../../../../release/workflow/value.ts";

const status = { success: true, failure: false, cancelled: false };
const scope: Scope = { contexts: { matrix: { list: ["a", "B"] } }, status };

describe("expressions", () => {
  const json = fc.jsonValue() as fc.Arbitrary<Value>;
  const at = (one: Value, text: string, other: Value = null) =>
    valueOf(text, { contexts: { env: { one, other } }, status });

  it("quotes every text", () => {
    fc.assert(fc.property(fc.string(), (text) => valueOf(`'${text.replaceAll("'", "''")}'`, scope) === text));
  });

  it("reads back what toJSON writes", () => {
    fc.assert(
      fc.property(json, (one) => {
        expect(at(one, "fromJSON(toJSON(env.one))")).toEqual(JSON.parse(JSON.stringify(one)));
      }),
    );
  });

  it("compares both ways alike, and != says the contrary of ==", () => {
    fc.assert(
      fc.property(json, json, (one, other) => {
        expect(at(one, "env.one == env.other", other)).toBe(at(one, "env.other == env.one", other));
        expect(at(one, "env.one != env.other", other)).toBe(at(one, "!(env.one == env.other)", other));
        expect(at(one, "env.one < env.other", other)).toBe(at(one, "env.other > env.one", other));
      }),
    );
  });

  it("gives the text itself where there is no ${{", () => {
    fc.assert(fc.property(fc.string(), (text) => text.includes("${{") || interpolate(text, scope) === text));
  });

  it("ends on every text, with a value or a usage error", () => {
    const signs = fc.constantFrom(
      "(",
      ")",
      "[",
      "]",
      ".",
      ",",
      "*",
      "!",
      "&&",
      "||",
      "==",
      "<",
      "matrix",
      "list",
      "'a'",
      "1",
      " ",
      "contains",
    );
    fc.assert(
      fc.property(fc.array(signs, { maxLength: 12 }), (parts) => {
        try {
          valueOf(parts.join(""), scope);
        } catch (error) {
          expect(error).toMatchObject({ name: "KilnError" });
        }
      }),
    );
  });
});
