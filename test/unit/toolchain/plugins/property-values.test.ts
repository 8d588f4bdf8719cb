import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  holdsSecret,
  holdsUnknown,
  isSecret,
  isUnknown,
  plainValue,
  secret,
  UNKNOWN,
} from "../../../../toolchain/plugins/property-values.ts";

describe("marks of special values", () => {
  it("are those of the SDK", () => {
    const { specialSigKey, specialSecretSig, unknownValue } = pulumi.runtime;
    expect(secret("x")).toEqual({ [specialSigKey]: specialSecretSig, value: "x" });
    expect(UNKNOWN).toBe(unknownValue);
  });

  it("are found at any depth, and nowhere else", () => {
    expect(isSecret(secret(1))).toBe(true);
    expect(isSecret({ value: 1 })).toBe(false);
    expect(holdsSecret([{ a: [secret(1)] }])).toBe(true);
    expect(holdsSecret([{ a: [1] }, null])).toBe(false);
    expect(isUnknown(UNKNOWN)).toBe(true);
    expect(holdsUnknown({ a: secret({ b: [UNKNOWN] }) })).toBe(true);
    expect(holdsUnknown({ a: secret({ b: ["known"] }) })).toBe(false);
  });

  it("come off without touching the values", () => {
    expect(plainValue({ a: [secret({ b: secret("x") })], c: null })).toEqual({ a: [{ b: "x" }], c: null });
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(plainValue(value)).toEqual(value);
        expect(plainValue([secret(value)])).toEqual([value]);
      }),
    );
  });
});
