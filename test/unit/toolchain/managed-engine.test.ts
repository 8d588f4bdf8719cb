import fc from "fast-check";
import { expect, test } from "vitest";
import { bridgeAddress } from "../../../toolchain/managed-engine.ts";

test("a bridge has an address of its own, always the same, which belongs to no card and to no group", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (name, other) => {
      expect(bridgeAddress(name)).toMatch(/^02:42(:[0-9a-f]{2}){4}$/);
      expect(bridgeAddress(name) === bridgeAddress(other)).toBe(name === other);
    }),
  );
});
