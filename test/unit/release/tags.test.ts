import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { imageTagsOf, isReleasedTag, parseReleaseTag } from "../../../release/tags.ts";
import { compareVersions } from "../../../release/version.ts";

const releases = fc
  .tuple(fc.nat({ max: 3 }), fc.nat({ max: 3 }), fc.nat({ max: 12 }), fc.constantFrom("", "-rc.1", "-rc.2", "-a.b"))
  .map(([major, minor, patch, more]) => parseReleaseTag(`iac-runner-base-v${major}.${minor}.${patch}${more}`));

describe("a release tag", () => {
  it.each([
    ["iac-runner-base-v1.2.3", "v1.2.3"],
    ["iac-runner-base-v0.0.0", "v0.0.0"],
    ["iac-runner-base-v10.20.30-rc.1", "v10.20.30-rc.1"],
    ["iac-runner-base-v1.0.0-RC-x.0", "v1.0.0-RC-x.0"],
  ])("%s is the image tag %s", (tag, imageTag) => {
    expect(parseReleaseTag(tag)).toMatchObject({ tag, imageTag });
    expect(isReleasedTag(imageTag)).toBe(true);
  });

  it.each([
    ["iac-runner-base-1.2.3", "it lacks the v before its version"],
    ["iac-runner-base-v1.2", "1.2 has not three numbers"],
    ["iac-runner-base-v1", "1 has not three numbers"],
    ["iac-runner-base-v1.2-rc.1", "1.2-rc.1 has not three numbers"],
    ["iac-runner-base-v01.2.3", "01.2.3 has a number that begins with 0"],
    ["iac-runner-base-v1.2.03", "1.2.03 has a number that begins with 0"],
    ["iac-runner-base-v1.2.3-rc.01", "1.2.3-rc.01 has a pre-release number that begins with 0"],
    ["iac-runner-base-v1.2.3+build.5", "it has build metadata, and an image tag has no plus sign"],
    ["IaC-Runner-Base-v1.2.3", "it has capitals in IaC-Runner-Base-v"],
    ["iac-runner-base-V1.2.3", "it has capitals in iac-runner-base-V"],
    ["iac-runner-base-v1.2.3 ", "it has a blank in it"],
    ["iac-runner-base-v1. 2.3", "it has a blank in it"],
    ["iac-runner-base-v1.2.3\n", "it has a blank in it"],
    ["v1.2.3", "it does not begin with iac-runner-base-v"],
    ["refs/tags/iac-runner-base-v1.2.3", "it does not begin with iac-runner-base-v"],
    ["", "it does not begin with iac-runner-base-v"],
    ["iac-runner-base-v", '"" is no semantic version'],
    ["iac-runner-base-v1.2.3.4", '"1.2.3.4" is no semantic version'],
    ["iac-runner-base-v1.2.3-", '"1.2.3-" is no semantic version'],
    ["iac-runner-base-v1.2.3-ä", '"1.2.3-ä" is no semantic version'],
    [`iac-runner-base-v1.2.3-${"a".repeat(128)}`, "it is longer than an image tag can be, which is 128 characters"],
  ])("%j is a usage error that says why", (tag, said) => {
    expect(() => parseReleaseTag(tag)).toThrow(
      expect.objectContaining({ kind: "usage", message: `${JSON.stringify(tag)} is no release tag: ${said}` }),
    );
  });
});

describe("the image tags of a release", () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ["the first", [], ["v1.2.3", "latest"]],
    ["a higher one", ["v1.2.2", "latest", "layer-aws-1", "nightly"], ["v1.2.3", "latest"]],
    ["the same one again", ["v1.2.3", "latest"], ["v1.2.3", "latest"]],
    ["one below a pre-release", ["v2.0.0-rc.1"], ["v1.2.3", "latest"]],
    ["a fix of an old line", ["v2.0.0", "latest"], ["v1.2.3"]],
    ["one that is higher by digits, not by letters", ["v1.2.10"], ["v1.2.3"]],
  ])("for %s", (_, existing, wanted) => {
    expect(imageTagsOf(parseReleaseTag("iac-runner-base-v1.2.3"), existing)).toEqual(wanted);
  });

  it("are its own alone for a pre-release", () => {
    expect(imageTagsOf(parseReleaseTag("iac-runner-base-v1.2.3-rc.1"), [])).toEqual(["v1.2.3-rc.1"]);
  });

  it("let latest end on the highest release, in whatever order releases come", () => {
    fc.assert(
      fc.property(fc.array(releases, { minLength: 1, maxLength: 8 }), (all) => {
        const tags = new Map<string, string>();
        for (const release of all) {
          for (const tag of imageTagsOf(release, [...tags.keys()])) tags.set(tag, release.version.text);
        }
        const finals = all.map(({ version }) => version).filter(({ prerelease }) => prerelease.length === 0);
        expect(tags.get("latest")).toBe(finals.toSorted(compareVersions).at(-1)?.text);
      }),
    );
  });
});
