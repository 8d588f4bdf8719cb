import { describe, expect, it } from "vitest";
import { decide, tagsToLookUp, type Known } from "../../../../release/watch/decision.ts";
import type { Finding } from "../../../../release/watch/finding.ts";
import { AFTER, decided, found, known, release } from "./watch-world.ts";

describe("a version in production", () => {
  const TAGS = ["dev-v3.253.0", "v3.253.0", "latest-v3.253.0"];
  const released = (findings: Readonly<Record<string, Finding>>, more: Partial<Known> = {}) =>
    known([release("v3.253.0")], { tags: TAGS, findings: new Map(Object.entries(findings)), ...more });
  const ALL = "released by dev-v3.253.0, latest-v3.253.0, v3.253.0";

  it.each<[string, Readonly<Record<string, Finding>>, readonly unknown[]]>([
    ["is done with its images there", { "v3.253.0": found(80), "latest-v3.253.0": found(80) }, ["done", ALL, []]],
    ["is building", { "v3.253.0": found(71, ["a:v1"]) }, ["building", "v3.253.0: a:v1 to come", []]],
    [
      "is pushed again where its images did not come",
      { "v3.253.0": found(72, ["a:v1"], { attempt: 1 }) },
      ["retry", "v3.253.0: a:v1 did not come in 72 h; attempt 2 of 2", ["v3.253.0"]],
    ],
    [
      "is pushed again with latest, where both did not come",
      {
        "v3.253.0": found(72, ["a:v1"], { attempt: 1 }),
        "latest-v3.253.0": found(72, ["a:latest"], { attempt: 1 }),
      },
      ["retry", "v3.253.0: a:v1 did not come in 72 h; attempt 2 of 2", ["v3.253.0", "latest-v3.253.0"]],
    ],
    [
      "has failed where they did not come again",
      { "v3.253.0": found(72, ["a:v1"]) },
      ["failed", "v3.253.0: a:v1 did not come in 72 h, at attempt 2", []],
    ],
    [
      "has failed where latest stayed behind, although another tag is on its way",
      { "v3.253.0": found(1, ["a:v1"]), "latest-v3.253.0": found(72, ["a:latest (there as 3.252.0)"]) },
      ["failed", "latest-v3.253.0: a:latest (there as 3.252.0) did not come in 72 h, at attempt 2", []],
    ],
    [
      "says so where nobody knows",
      { "v3.253.0": found(80, [], { fault: "no answer" }) },
      ["done", `${ALL}; whether its images are there: no answer`, []],
    ],
  ])("%s", (_, findings, expected) => {
    expect(decided(released(findings), AFTER)).toEqual(expected);
  });

  it("is pushed again as what it was, in place of what was seen", () => {
    const failed = found(72, ["a:v1"], { attempt: 1, commit: "d".repeat(40), object: "e".repeat(40) });
    const [decision] = decide(released({ "v3.253.0": failed }), AFTER).versions;
    expect(decision?.tags).toEqual([{ name: "v3.253.0", commit: "d".repeat(40), instead: "e".repeat(40), attempt: 2 }]);
  });

  it("is not pushed again once something speaks against it", () => {
    const findings = { "v3.253.0": found(72, ["a:v1"], { attempt: 1 }) };
    const { readings } = known([release("v3.253.0", 100, { withdrawn: "yanked" })]);
    expect(decided(released(findings, { readings }), AFTER)).toEqual([
      ...["failed", "v3.253.0: a:v1 did not come in 72 h; not pushed again: github: yanked", []],
    ]);
    const silent = [...known([release("v3.253.0")]).readings, { source: "pypi", fault: "away" }];
    expect(decided(released(findings, { readings: silent }), AFTER)[0]).toBe("failed");
  });

  it("does not stop the next one by failing", () => {
    const one = released(
      { "v3.253.0": found(72, ["a:v1"]), "dev-v3.254.0": found(50) },
      { tags: [...TAGS, "dev-v3.254.0"], readings: known([release("v3.253.0"), release("v3.254.0")]).readings },
    );
    expect(decide(one, AFTER).versions.map(({ version, verdict, tags }) => [version, verdict, tags.length])).toEqual([
      ["3.254.0", "promote", 2],
      ["3.253.0", "failed", 0],
    ]);
  });

  it("is looked up while it is one of the highest, and latest of the highest alone", () => {
    const versions = [0, 1, 2, 3, 4, 5].map((patch) => `3.253.${patch}`);
    const tags = versions.flatMap((version) => [`v${version}`, `latest-v${version}`]);
    expect(tagsToLookUp(tags, AFTER)).toEqual([
      ...versions
        .slice(1)
        .reverse()
        .map((version) => `v${version}`),
      "latest-v3.253.5",
    ]);
  });
});
