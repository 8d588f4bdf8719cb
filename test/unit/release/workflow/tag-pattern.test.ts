import { expect, it } from "vitest";
import { matchesTags } from "../../../../release/workflow/tag-pattern.ts";

it.each([
  ["iac-runner-base-v1.2.3", ["iac-runner-base-v*"], true],
  ["iac-runner-base-v1/2", ["iac-runner-base-v*"], false],
  ["iac-runner-base-v1/2", ["iac-runner-base-v**"], true],
  ["xiac-runner-base-v1", ["iac-runner-base-v*"], false],
  ["v1x2", ["v1.2"], false],
  ["v1.10.1", ["v[12].[0-9]+.[0-9]+"], true],
  ["v3.1.1", ["v[12].[0-9]+.[0-9]+"], false],
  ["v2", ["v2?"], true],
  ["v", ["v2?"], true],
  ["release/a/v1", ["release/**/v1"], true],
  ["release/v1", ["release/**/v1"], true],
  ["v1.0-rc", ["v*", "!v*-rc"], false],
  ["v1.0-rc", ["v*", "!v*-rc", "v1*"], true],
  ["v1", [], false],
  ["a*", ["a\\*"], true],
  ["ab", ["a\\*"], false],
])("%s by %j: %s", (tag, patterns, expected) => {
  expect(matchesTags(tag, patterns)).toBe(expected);
});

it("refuses a pattern that cannot be read", () => {
  expect(() => matchesTags("v1", ["+v"])).toThrow(/tag pattern "\+v" cannot be read/);
});
