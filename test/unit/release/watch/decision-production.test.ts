import { describe, expect, it } from "vitest";
import { decide, tagsToLookUp, type Known } from "../../../../release/watch/decision.ts";
import type { Finding } from "../../../../release/watch/finding.ts";
import { AFTER, decided, found, known, policyOf, release } from "./watch-world.ts";

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
      ...["withdrawn", "v3.253.0: a:v1 did not come in 72 h; not pushed again: github: yanked", []],
    ]);
    const held = policyOf("promote: { production: after }", 'holds: [{ versions: "3.253.0", reason: r }]');
    for (const attempt of [1, 2, undefined]) {
      const late = { "v3.253.0": found(1500, ["a:v1"], { attempt }) };
      expect(decided(released(late), held), String(attempt)).toEqual([
        ...["held", "v3.253.0: a:v1 did not come in 1500 h; not pushed again: 3.253.0: r", []],
      ]);
    }
  });

  it("waits to be pushed again while a source is silent, or does not know it", () => {
    const findings = { "v3.253.0": found(72, ["a:v1"], { attempt: 1 }) };
    const { readings } = known([release("v3.253.0")]);
    const late = "v3.253.0: a:v1 did not come in 72 h; not pushed again yet:";
    const silent = { source: "pypi", fault: "away" };
    expect(decided(released(findings, { readings: [...readings, silent] }), AFTER)).toEqual([
      ...["waiting", `${late} pypi did not say whether it is withdrawn`, []],
    ]);
    const strange = { source: "pypi", releases: [release("3.252.0")] };
    expect(decided(released(findings, { readings: [...readings, strange] }), AFTER)).toEqual([
      ...["waiting", `${late} pypi does not know it: not yet, or not any more`, []],
    ]);
    // Nothing is owed to one that was pushed often enough: it failed, whoever is silent.
    const failed = { "v3.253.0": found(72, ["a:v1"]) };
    expect(decided(released(failed, { readings: [...readings, silent] }), AFTER)[0]).toBe("failed");
  });

  it.each([
    [143, "retry", ["v3.253.0", "latest-v3.253.0"]],
    [144, "failed", []],
    [1500, "failed", []],
  ])(
    "keeps its tags once they are old, whatever a registry does not find: after %i h it is %s",
    (age, verdict, tags) => {
      const findings = {
        "v3.253.0": found(age, ["a:v1"], { attempt: 1 }),
        "latest-v3.253.0": found(age, ["a:latest"], { attempt: 1 }),
      };
      const [said, reason, pushed] = decided(released(findings), AFTER);
      expect([said, pushed]).toEqual([verdict, tags]);
      if (verdict === "failed") expect(reason).toContain("tags of more than 144 h may have had their images");
    },
  );

  it("is pushed again with no more others than one run begins", () => {
    const versions = ["0", "1", "2", "3", "4"].map((patch) => `3.253.${patch}`);
    const tags = versions.map((version) => `v${version}`);
    const findings = new Map(tags.map((tag) => [tag, found(80, ["a:v1"], { attempt: 1 })]));
    const { readings } = known(["3.254.0", ...versions].map((version) => release(version)));
    const { versions: all } = decide(known([], { readings, tags, findings }), AFTER);
    expect(all.map(({ verdict }) => verdict)).toEqual(["release", "retry", "retry", "waiting", "waiting", "waiting"]);
    expect(all.at(-1)?.reason).toContain("one run begins 3: the next one takes it");
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
