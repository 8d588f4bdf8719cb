import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plainValue, secret } from "../../../../../toolchain/plugins/property-values.ts";
import { marked, secretPaths } from "../../../../../toolchain/plugins/kubernetes-provider/secret-paths.ts";

describe("marks of secrets", () => {
  it("are found where they are, the outermost only", () => {
    const value = { a: secret({ b: secret("x") }), list: [{ c: 1 }, { c: secret("y") }], plain: "z" };
    expect(secretPaths(value)).toEqual([["a"], ["list", 1, "c"]]);
  });

  it("can be taken off and put back", () => {
    const leaf = fc.oneof(fc.string(), fc.integer(), fc.string().map(secret));
    const key = fc.stringMatching(/^[a-z]{1,3}$/);
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof({ maxDepth: 4 }, leaf, fc.array(tie("tree")), fc.dictionary(key, tie("tree"))),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        expect(marked(plainValue(value), secretPaths(value))).toEqual(value);
      }),
    );
  });

  it("are left out where the value is not there", () => {
    expect(marked({ a: 1 }, [["data"], ["a", "b"]])).toEqual({ a: 1 });
  });
});
