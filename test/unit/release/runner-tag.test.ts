import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatRunnerTag, parseRunnerTag, runnerTagOf, type RunnerChannel } from "../../../release/runner-tag.ts";

const channels = fc.constantFrom<RunnerChannel>("dev", "latest", "version");
const versions = fc
  .tuple(fc.nat({ max: 40 }), fc.nat({ max: 400 }), fc.nat({ max: 40 }))
  .map((numbers) => numbers.join("."));

describe("a tag of language runners", () => {
  it.each([
    ["dev-v3.253.0", "dev", "preproduction", "v3.253.0"],
    ["latest-v3.253.0", "latest", "production", "latest"],
    ["v3.253.0", "version", "production", "v3.253.0"],
    ["v0.0.0", "version", "production", "v0.0.0"],
  ])("%s is of channel %s, goes to %s and sets %s", (tag, channel, environment, imageTag) => {
    expect(parseRunnerTag(tag)).toMatchObject({ tag, channel, environment, imageTag });
  });

  it.each([
    ["", "it is empty"],
    ["v3.253.0 ", "it has a blank in it"],
    ["v3.253.0\n", "it has a blank in it"],
    ["refs/tags/v3.253.0", "it is a whole reference: leave refs/tags/ away"],
    ["3.253.0", "it lacks the v before its version"],
    ["dev-3.253.0", "it lacks the v before its version"],
    ["V3.253.0", "it has capitals in V"],
    ["Dev-v3.253.0", "it has capitals in Dev-v"],
    ["latest", "it has no version"],
    ["dev-v", "it has no version"],
    ["v", "it has no version"],
    ["stable-v3.253.0", '"stable" is no channel: there are latest and dev, and v alone'],
    ["dev/v3.253.0", '"dev" is no channel: there are latest and dev, and v alone'],
    ["nightly", "it does not begin with v, latest-v or dev-v"],
    ["v3.253", "3.253 has not three numbers"],
    ["v3", "3 has not three numbers"],
    ["v3.253.0.1", '"3.253.0.1" is no semantic version'],
    ["v03.253.0", "03.253.0 has a number that begins with 0"],
    ["v3.253.0+build", "it has build metadata, and an image tag has no plus sign"],
    ["v3.254.0-alpha.1", "3.254.0-alpha.1 is a pre-release, and runners are made of releases alone"],
    ["dev-v3.254.0-fips", "3.254.0-fips is a pre-release, and runners are made of releases alone"],
    ["dev-latest-v3.253.0", '"dev-latest" is no channel: there are latest and dev, and v alone'],
    [`v3.253.${"1".repeat(120)}`, "it is longer than an image tag can be, which is 128 characters"],
  ])("%j is a usage error that says why", (tag, said) => {
    expect(runnerTagOf(tag)).toBeUndefined();
    const message = `${JSON.stringify(tag)} is no tag of a language runner: ${said}`;
    expect(() => parseRunnerTag(tag)).toThrow(expect.objectContaining({ kind: "usage", message }));
  });

  it("is written as it is read", () => {
    fc.assert(
      fc.property(channels, versions, (channel, version) => {
        const tag = formatRunnerTag(channel, version);
        expect(parseRunnerTag(tag)).toMatchObject({ tag, channel, version: { text: version } });
      }),
    );
  });

  it("is read or refused with a reason, whatever the text is", () => {
    const words = fc.constantFrom(
      "v",
      "V",
      "dev",
      "latest",
      "-",
      "/",
      ".",
      "1",
      "03",
      "253",
      "rc",
      "+",
      " ",
      "refs/tags/",
      "ä",
    );
    const texts = fc.oneof(
      fc.string(),
      fc.array(words, { maxLength: 9 }).map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const found = runnerTagOf(text);
        if (found === undefined) expect(() => parseRunnerTag(text)).toThrow(/is no tag of a language runner: \S/);
        else expect(formatRunnerTag(found.channel, found.version.text)).toBe(text);
      }),
      { numRuns: 500 },
    );
  });
});
