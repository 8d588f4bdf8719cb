import path from "node:path";
import { describe, expect, it } from "vitest";
import { RUNNER_LANGUAGES, RUNNER_VARIANTS } from "../../../../release/runner-image.ts";
import { parseWatchPolicy, readPolicyText, readWatchPolicy, WATCH_FILE } from "../../../../release/watch/policy.ts";

const PROJECT = path.join(import.meta.dirname, "../../../..");
const SMALLEST = ["sources: [{ kind: npm, project: '@pulumi/pulumi' }]", "floor: 3.250.0"];
const parsed = (...lines: readonly string[]) => parseWatchPolicy(lines.join("\n"), "watch.yaml");

describe("the watcher's file", () => {
  it("of this checkout is read, with the sources of the issue in their order", async () => {
    const policy = await readWatchPolicy(path.join(PROJECT, WATCH_FILE));
    expect(policy.sources.map(({ kind, address }) => [kind, address])).toEqual([
      ["github", "https://api.github.com"],
      ["npm", "https://registry.npmjs.org"],
      ["pypi", "https://pypi.org"],
      ["go", "https://proxy.golang.org"],
    ]);
    expect(policy.confirmations).toBe(2);
    expect(await readPolicyText(PROJECT)).toContain("sources:");
  });

  it("has every default filled in: nothing goes to production by itself", () => {
    expect(parsed(...SMALLEST)).toMatchObject({
      ...{ confirmations: 1, minimumAge: 24, backfill: 3, patience: 6, holds: [], branch: "main" },
      promotion: { kind: "by hand" },
      required: { languages: RUNNER_LANGUAGES, variants: RUNNER_VARIANTS },
    });
    expect(parsed(...SMALLEST, "promote: { production: after }").promotion).toEqual({
      ...{ kind: "after", hours: 24, latest: true },
    });
  });

  it.each([
    ["of any age, by sources that tell none", "[{ kind: go, project: a.b/c }]", "minimumAgeHours: 0", 0],
    [
      "of an age that one of two tells",
      "[{ kind: go, project: a.b/c }, { kind: npm, project: a }]",
      "confirmations: 1",
      24,
    ],
  ])("asks for versions %s", (_, sources, line, hours) => {
    expect(parsed(`sources: ${sources}`, "floor: 1.0.0", line).minimumAge).toBe(hours);
  });

  it.each<[string, readonly string[], string]>([
    ["no floor", [SMALLEST[0] ?? ""], "watch.yaml: floor is not set"],
    ["a floor that is none", [SMALLEST[0] ?? "", "floor: '3.250'"], "floor is no version"],
    ["no source", ["floor: 3.250.0"], "sources names no source"],
    ["a source of nobody", ["sources: [{ kind: crates, project: a }]", "floor: 1.0.0"], 'sources[0].kind is "crates"'],
    [
      "a project that is a path",
      ["sources: [{ kind: github, project: '../x' }]", "floor: 1.0.0"],
      "sources[0].project",
    ],
    [
      "an address without TLS",
      ["sources: [{ kind: npm, project: a, address: 'http://npm.example.com' }]", "floor: 1.0.0"],
      "sources[0].address is no https address",
    ],
    [
      "an address with a login",
      ["sources: [{ kind: npm, project: a, address: 'https://user:hunter2@npm.example.com' }]", "floor: 1.0.0"],
      "is no https address without a login",
    ],
    [
      "an address with a password alone",
      ["sources: [{ kind: npm, project: a, address: 'https://:hunter2@npm.example.com' }]", "floor: 1.0.0"],
      "is no https address without a login",
    ],
    [
      "more confirmations than sources",
      [...SMALLEST, "confirmations: 2"],
      "confirmations is 2, but there are 1 sources",
    ],
    [
      "more confirmations than kinds of sources",
      ["sources: [{ kind: npm, project: a }, { kind: npm, project: b }]", "floor: 1.0.0", "confirmations: 2"],
      "confirmations is 2, but there are 1 sources of different kinds",
    ],
    [
      "an age that no source can tell",
      ["sources: [{ kind: go, project: a.b/c }]", "floor: 1.0.0"],
      "minimumAgeHours is 24: 1 kinds of sources have to say when a version was published, and 0 of these do",
    ],
    [
      "an age that one source alone can tell, where two have to know a version",
      ["sources: [{ kind: go, project: a.b/c }, { kind: npm, project: a }]", "floor: 1.0.0", "minimumAgeHours: 5"],
      "minimumAgeHours is 5: 2 kinds of sources have to say when a version was published, and 1 of these do",
    ],
    ["a hold without a reason", [...SMALLEST, "holds: [{ versions: 3.251.0 }]"], "holds[0].reason is not set"],
    ["a hold of no range", [...SMALLEST, "holds: [{ versions: 3.x, reason: r }]"], "which is no range of versions"],
    ["a language of nobody", [...SMALLEST, "languages: [rust]"], 'languages[0] is "rust"'],
    ["a key that is misspelt", [...SMALLEST, "minimumAge: 3"], "minimumAge is not a setting"],
    ["a branch that is a refspec", [...SMALLEST, "branch: 'main:refs/heads/other'"], "which is no branch"],
    ["what is no YAML", ["a: ["], "watch.yaml is no YAML"],
  ])("refuses %s", (_, lines, message) => {
    expect(() => parsed(...lines)).toThrow(message);
    expect(() => parsed(...lines)).not.toThrow("hunter2");
  });
});
