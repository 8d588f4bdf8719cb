import { describe, expect, it } from "vitest";
import { areReleaseTags, tagRules } from "../../../release/tag-rules.ts";

/** What `fnmatch` does with a star: anything but a slash. */
function matches(pattern: string, tag: string): boolean {
  const [before = "", after = ""] = pattern.split("*");
  const reference = `refs/tags/${tag}`;
  const rest = reference.slice(before.length);
  return reference.startsWith(before) && rest.endsWith(after) && !rest.includes("/");
}

/** What happens to somebody who tries: forbidden to all, to all but the release App, or open. */
function verdict(tag: string, action: "creation" | "update" | "deletion", releaseApp: boolean): string {
  const rules = tagRules({ releaseApp }).filter(({ patterns }) => patterns.some((pattern) => matches(pattern, tag)));
  const forbidding = rules.filter(({ forbids }) => forbids.includes(action));
  if (forbidding.some(({ exempt }) => exempt === "nobody")) return "nobody";
  return forbidding.length > 0 ? "release app" : "anybody";
}

const ACTIONS = ["creation", "update", "deletion"] as const;

describe("the rules for release tags", () => {
  it.each([
    ["iac-runner-base-v1.2.3", ["release app", "nobody", "nobody"]],
    ["dev-v3.253.0", ["release app", "nobody", "release app"]],
    ["latest-v3.253.0", ["release app", "nobody", "release app"]],
    ["v3.253.0", ["release app", "nobody", "release app"]],
    ["job-runner-v0.1.0", ["release app", "nobody", "release app"]],
    ["nightly", ["anybody", "anybody", "anybody"]],
  ])("%s is made, moved and removed by %j", (tag, expected) => {
    expect(ACTIONS.map((action) => verdict(tag, action, true))).toEqual(expected);
  });

  it("lock nobody out where no release App is named, and still keep tags from being moved", () => {
    expect(ACTIONS.map((action) => verdict("v3.253.0", action, false))).toEqual(["anybody", "nobody", "anybody"]);
    expect(ACTIONS.map((action) => verdict("iac-runner-base-v1.2.3", action, false))).toEqual([
      "anybody",
      "nobody",
      "nobody",
    ]);
  });

  it.each([
    ["refs/tags/iac-runner-base-v*", true],
    ["refs/tags/v*.*.*", true],
    ["refs/tags/job-runner-v1.2.3", true],
    ["refs/tags/*", false],
    ["refs/tags/v*/other", false],
    ["v*", false],
  ])("are for all tags of %s: %s", (pattern, expected) => {
    expect(areReleaseTags(pattern)).toBe(expected);
  });

  it("have a key and a name each", () => {
    const rules = tagRules({ releaseApp: true });
    expect(new Set(rules.map(({ key }) => key)).size).toBe(rules.length);
    expect(new Set(rules.map(({ name }) => name)).size).toBe(rules.length);
  });
});
