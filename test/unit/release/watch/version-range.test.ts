import { describe, expect, it } from "vitest";
import { parseVersion } from "../../../../release/version.ts";
import { parseVersionRange } from "../../../../release/watch/version-range.ts";

function includes(range: string, text: string): boolean | undefined {
  const version = parseVersion(text);
  return version && parseVersionRange(range)?.includes(version);
}

describe("a range of versions", () => {
  it.each([
    ["3.251.0", "3.251.0", true],
    ["v3.251.0", "3.251.0", true],
    ["=3.251.0", "3.251.1", false],
    [">=3.251.0 <3.251.3", "3.251.2", true],
    [">=3.251.0 <3.251.3", "3.251.3", false],
    [">3.251.0", "3.251.0", false],
    ["<=3.251.0", "3.251.0", true],
    ["<3.100.0", "3.99.0", true],
  ])("%s includes %s: %s", (range, version, expected) => {
    expect(includes(range, version)).toBe(expected);
  });

  it.each(["", "3.251", "3.x", ">= 3.251.0", "3.251.0 - 3.252.0", "~3.251.0", ">=3.251.0,<3.252.0"])(
    "is not %j",
    (text) => {
      expect(parseVersionRange(text)).toBeUndefined();
    },
  );
});
