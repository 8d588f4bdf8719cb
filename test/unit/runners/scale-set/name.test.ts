import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  companionNames,
  requireDistinctNames,
  requireNamespaceName,
  requireScaleSetName,
} from "../../../../runners/scale-set/name.ts";

const AT = "kiln:runners.scaleSetName";
const LABEL = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

describe("the name of a scale set", () => {
  it.each(["iac", "a", "7", "iac-runner-base-image-builder", "a".repeat(45)])("may be %s", (name) => {
    expect(() => {
      requireScaleSetName(name, AT);
    }).not.toThrow();
  });

  it.each([
    ["", "which is no name for Kubernetes"],
    ["Iac", "which is no name for Kubernetes"],
    ["iac_runner", "which is no name for Kubernetes"],
    ["-iac", "which is no name for Kubernetes"],
    ["iac-", "which is no name for Kubernetes"],
    ["iac.runner", "which is no name for Kubernetes"],
    ["iac\n", "which is no name for Kubernetes"],
    ["a".repeat(46), "of 46 characters, but at most 45 fit: the controller makes longer names of it"],
  ])("may not be %j", (name, reason) => {
    expect(() => {
      requireScaleSetName(name, AT);
    }).toThrow(`${AT} is ${JSON.stringify(name)}`);
    expect(() => {
      requireScaleSetName(name, AT);
    }).toThrow(reason);
  });

  it("leaves room for every name that is made of it, where it is accepted at all", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("a", "b", "z", "0", "9", "-", "_", ".", "A"), maxLength: 60 }),
        (name) => {
          const accepted = passes(() => {
            requireScaleSetName(name, AT);
          });
          expect(accepted).toBe(name.length <= 45 && LABEL.test(name));
          if (!accepted) return;
          expect(`${name}-0123abcd-listener`.length).toBeLessThanOrEqual(63);
          for (const companion of Object.values(companionNames(name))) expect(companion).toMatch(LABEL);
          expect(new Set(Object.values(companionNames(name))).size).toBe(4);
        },
      ),
    );
  });
});

describe("the name of a namespace", () => {
  it("has at most 63 characters", () => {
    expect(() => {
      requireNamespaceName("n".repeat(63), "namespace");
    }).not.toThrow();
    expect(() => {
      requireNamespaceName("n".repeat(64), "namespace");
    }).toThrow("of 64 characters, but at most 63 fit");
  });
});

describe("the names of several scale sets", () => {
  it("differ, or the one that is there twice is named", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("a", "b", "c", "d")), (names) => {
        const distinct = passes(() => {
          requireDistinctNames(names, "kiln:runners.sets");
        });
        expect(distinct).toBe(new Set(names).size === names.length);
      }),
    );
    expect(() => {
      requireDistinctNames(["iac", "dind", "iac"], "kiln:runners.sets");
    }).toThrow('kiln:runners.sets has two scale sets named "iac"');
  });
});

function passes(check: () => void): boolean {
  try {
    check();
    return true;
  } catch {
    return false;
  }
}
