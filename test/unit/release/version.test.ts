import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareVersions, parseVersion, type Version } from "../../../release/version.ts";

const number = fc.oneof(fc.nat({ max: 3 }).map(String), fc.bigInt({ min: 2n ** 53n, max: 2n ** 60n }).map(String));
const identifier = fc.oneof(number, fc.constantFrom("alpha", "beta", "rc", "a-b", "-", "0a", "RC"));
const texts = fc
  .tuple(number, number, number, fc.array(identifier, { maxLength: 3 }))
  .map(([a, b, c, more]) => `${a}.${b}.${c}${more.length > 0 ? `-${more.join(".")}` : ""}`);

/** A version that the test knows to be one. */
function version(text: string): Version {
  const found = parseVersion(text);
  if (found === undefined) throw new Error(`${text} is no version`);
  return found;
}

const sign = (left: Version, right: Version) => Math.sign(compareVersions(left, right));

describe("parseVersion", () => {
  it("gives the parts from which the text can be written again", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const { numbers, prerelease } = version(text);
        expect(numbers.join(".") + (prerelease.length > 0 ? `-${prerelease.join(".")}` : "")).toBe(text);
      }),
    );
  });

  it.each([
    "",
    "1",
    "1.2",
    "1.2.3.4",
    "01.2.3",
    "1.02.3",
    "1.2.03",
    "1.2.3-",
    "1.2.3-01",
    "1.2.3-a..b",
    "1.2.3+1",
    "v1.2.3",
  ])("takes %j for none", (text) => {
    expect(parseVersion(text)).toBeUndefined();
  });
});

describe("compareVersions", () => {
  it("orders as section 11 of SemVer 2.0 says", () => {
    const order = [
      ...["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11"],
      ...["1.0.0-rc.1", "1.0.0", "1.0.1", "1.2.0", "1.10.0", "2.0.0", "9007199254740993.0.0", "10000000000000000.0.0"],
    ];
    const reversed = order.toReversed().map(version);
    expect(reversed.toSorted(compareVersions).map(({ text }) => text)).toEqual(order);
  });

  it("is a total order, and equal only to itself", () => {
    fc.assert(
      fc.property(texts, texts, texts, (one, two, three) => {
        const [a, b, c] = [version(one), version(two), version(three)];
        expect(sign(a, b) + sign(b, a)).toBe(0);
        expect(sign(a, b) === 0).toBe(one === two);
        if (sign(a, b) <= 0 && sign(b, c) <= 0) expect(sign(a, c)).toBeLessThanOrEqual(0);
      }),
    );
  });
});
