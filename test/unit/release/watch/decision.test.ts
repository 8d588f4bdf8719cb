import { describe, expect, it } from "vitest";
import { decide, tagsToLookUp, type Known } from "../../../../release/watch/decision.ts";
import { parseWatchPolicy, type WatchPolicy } from "../../../../release/watch/policy.ts";
import type { UpstreamRelease } from "../../../../release/watch/upstream.ts";
import type { Finding } from "../../../../release/watch/finding.ts";
import { AFTER, decided, HOUR, NOW, policyOf, release, known, found } from "./watch-world.ts";

describe("a version that was never begun", () => {
  it.each<[string, readonly UpstreamRelease[], readonly string[], readonly unknown[]]>([
    ["new", [release("v3.253.0")], [], ["release", "new: known to github and npm", ["dev-v3.253.0"]]],
    ["young", [release("v3.253.0", 23)], [], ["waiting", "23 h old, and 24 h are asked for", []]],
    ["of the future", [release("v3.253.0", -5)], [], ["waiting", "0 h old, and 24 h are asked for", []]],
    ["undated", [{ name: "3.253.0" }], [], ["waiting", "no source says when it was published, and 2 have to", []]],
    [
      "undated, of any age",
      [{ name: "3.253.0" }],
      ["minimumAgeHours: 0"],
      ["release", "new: known to github and npm", ["dev-v3.253.0"]],
    ],
    [
      "a draft",
      [release("v3.253.0", 100, { unfinished: true })],
      [],
      ["skipped", "a draft or a pre-release, says its source", []],
    ],
    [
      "deprecated",
      [release("v3.253.0", 100, { withdrawn: "deprecated: no" })],
      [],
      ["withdrawn", "github: deprecated: no", []],
    ],
    [
      "held",
      [release("v3.253.0")],
      ['holds: [{ versions: ">=3.253.0 <3.254.0", reason: r }]'],
      ["held", ">=3.253.0 <3.254.0: r", []],
    ],
    ["below the floor", [release("v3.253.0")], ["floor: 3.253.1"], [undefined, undefined, undefined]],
    [
      "one of too many",
      ["0", "1", "2", "3"].map((patch) => release(`v3.253.${patch}`)),
      [],
      ["waiting", "one run begins 3: the next one takes it", []],
    ],
  ])("%s", (_, releases, more, expected) => {
    const policy = more.some((line) => line.startsWith("floor"))
      ? { ...policyOf(), ...floorOf("3.253.1") }
      : policyOf(...more);
    expect(decided(known(releases), policy)).toEqual(expected);
  });

  it.each<[string, readonly (number | undefined)[], readonly string[], string]>([
    ["one of two says that it is old", [100, 3], [], "3 h old, and 24 h are asked for"],
    ["one of three says that it is old", [3, 3, 5000], [], "3 h old, and 24 h are asked for"],
    ["one of three says that it is young", [-5, 100, 100], [], "new: known to github and npm and pypi"],
    ["two say that it is old", [3, 50, 100], [], "new: known to github and npm and pypi"],
    ["two do, and three have to", [3, 50, 100], ["confirmations: 3"], "3 h old, and 24 h are asked for"],
    ["one does, and one has to", [3, 50], ["confirmations: 1"], "new: known to github and npm"],
    ["one alone says when", [undefined, 100, undefined], [], "only npm says when it was published, and 2 have to"],
    [
      "two alone say when",
      [100, 100, undefined],
      ["confirmations: 3"],
      "only github and npm say when it was published, and 3 have to",
    ],
  ])("is as old as so many say as have to know it: %s", (_, ages, more, reason) => {
    const readings = ages.map((hoursAgo, index) => ({
      source: ["github", "npm", "pypi"][index] ?? "",
      releases: [hoursAgo === undefined ? { name: "3.253.0" } : release("3.253.0", hoursAgo)],
    }));
    expect(decided(known([], { readings }), policyOf(...more))[1]).toBe(reason);
  });

  it("waits until a second source knows it", () => {
    const readings = [
      { source: "github", releases: [release("v3.253.0")] },
      { source: "npm", releases: [release("3.252.0")] },
    ];
    expect(decided(known([], { readings }), policyOf())).toEqual([
      ...["waiting", "only github knows it, and 2 have to", []],
    ]);
    expect(decided(known([], { readings }), policyOf("confirmations: 1"))[0]).toBe("release");
  });

  it("is not made of a name that is none; such names are told, but for those of long ago", () => {
    const names = ["nightly", "3.253.0.post1rc", "v3.249.9rc1.post2", "0.16.0rc1.post1"].map((name) => release(name));
    const { versions, malformed } = decide(known(names), AFTER);
    expect([versions, malformed.map(({ name }) => name)]).toEqual([[], ["nightly", "3.253.0.post1rc"]]);
  });

  it("is released where somebody released it by hand, and left alone", () => {
    for (const tag of ["v3.253.0", "latest-v3.253.0"]) {
      const one = known([release("v3.253.0")], { tags: [tag] });
      expect(decided(one, AFTER)).toEqual(["done", `released by ${tag}`, []]);
      expect(tagsToLookUp(one.tags, AFTER)).toEqual([tag]);
    }
  });
});

function floorOf(text: string): Pick<WatchPolicy, "floor"> {
  return { floor: parseWatchPolicy(`sources: [{ kind: npm, project: b }]\nfloor: ${text}`, "f").floor };
}

describe("a version that was begun", () => {
  const begun = (finding: Finding | undefined, more: Partial<Known> = {}) =>
    known([release("v3.253.0")], {
      tags: ["dev-v3.253.0"],
      findings: new Map(finding === undefined ? [] : [["dev-v3.253.0", finding]]),
      ...more,
    });

  it.each<[string, Finding | undefined, readonly string[], readonly unknown[]]>([
    ["is building", found(1, ["a:v1"]), [], ["building", "dev-v3.253.0: a:v1 to come", []]],
    [
      "has failed after some hours",
      found(6, ["a:v1", "b:v1"]),
      [],
      ["failed", "dev-v3.253.0: a:v1 and 1 more did not come in 6 h, at attempt 2", []],
    ],
    [
      "is pushed again first",
      found(6, ["a:v1"], { attempt: 1 }),
      [],
      ["retry", "dev-v3.253.0: a:v1 did not come in 6 h; attempt 2 of 2", ["dev-v3.253.0"]],
    ],
    [
      "is not pushed again once its tag is old",
      found(12, ["a:v1"], { attempt: 1 }),
      [],
      [
        "failed",
        "dev-v3.253.0: a:v1 did not come in 12 h; not pushed again: tags of more than 12 h may have had their images",
        [],
      ],
    ],
    [
      "is not pushed again where nobody wants that",
      found(6, ["a:v1"], { attempt: 1 }),
      ["retries: 0"],
      ["failed", "dev-v3.253.0: a:v1 did not come in 6 h", []],
    ],
    [
      "is not pushed again where somebody else pushed it",
      found(6, ["a:v1"], { attempt: undefined }),
      [],
      ["failed", "dev-v3.253.0: a:v1 did not come in 6 h", []],
    ],
    ["cannot be looked up", found(6, [], { fault: "no" }), [], ["waiting", "its images cannot be looked up: no", []]],
    ["is tried", found(23), [], ["proving", "tried for 23 h, and 24 h are asked for", []]],
    ["was tried", found(24), [], ["promote", "tried for 24 h", ["v3.253.0", "latest-v3.253.0"]]],
    [
      "is tried since its images are there, not since its tag is",
      found(50, [], { since: NOW - 23 * HOUR }),
      [],
      ["proving", "tried for 23 h, and 24 h are asked for", []],
    ],
    [
      "is tried since its tag is, where it was pushed again",
      found(23, [], { since: NOW - 50 * HOUR }),
      [],
      ["proving", "tried for 23 h, and 24 h are asked for", []],
    ],
    [
      "has a tag without a date, whose images have one",
      found(undefined, [], { since: NOW - 24 * HOUR }),
      [],
      ["promote", "tried for 24 h", ["v3.253.0", "latest-v3.253.0"]],
    ],
    [
      "has a tag without a date, and no images",
      found(undefined, ["a:v1"]),
      [],
      ["building", "dev-v3.253.0: a:v1 to come", []],
    ],
    [
      "has images of which nobody knows since when",
      found(undefined),
      [],
      ["proving", "nobody says since when its images are there", []],
    ],
    ["is not looked up", undefined, [], ["waiting", "older than the versions that are looked up", []]],
    ["was held since", found(24), ['holds: [{ versions: "3.253.0", reason: r }]'], ["held", "3.253.0: r", []]],
    ["stays to try", found(24), ["promote: { production: by hand }"], ["done", "to try; production is by hand", []]],
    [
      "keeps latest",
      found(24),
      ["promote: { production: after, latest: false }"],
      ["promote", "tried for 24 h", ["v3.253.0"]],
    ],
  ])("%s", (_, finding, more, expected) => {
    const policy = more.some((line) => line.startsWith("promote"))
      ? policyOf(...more)
      : policyOf("promote: { production: after }", ...more);
    expect(decided(begun(finding), policy)).toEqual(expected);
  });

  it("is not promoted once upstream withdraws it, or knows it no more", () => {
    const withdrawn = { readings: known([release("v3.253.0", 100, { withdrawn: "yanked" })]).readings };
    expect(decided(begun(found(50), withdrawn), AFTER)).toEqual(["withdrawn", "github: yanked", []]);
    const gone = { readings: known([release("v3.252.0")]).readings };
    expect(decided(begun(found(50), gone), AFTER)).toEqual([
      "waiting",
      "no source knows it any more, and 2 have to",
      [],
    ]);
  });

  it("is promoted at the commit that was tried", () => {
    const [decision] = decide(begun(found(50)), AFTER).versions;
    expect(decision?.tags.map(({ commit }) => commit)).toEqual([found(50).commit, found(50).commit]);
  });

  it("is not promoted while a source is silent that may have withdrawn it; another one of its kind may speak for it", () => {
    const { readings } = known([release("v3.253.0")]);
    const silent = { source: "pypi", fault: "away" };
    expect(decided(begun(found(50), { readings: [...readings, silent] }), AFTER)).toEqual([
      ...["waiting", "tried for 50 h, but pypi did not say whether it is withdrawn", []],
    ]);
    const mirror = { source: "pypi", releases: [release("3.253.0")] };
    expect(decided(begun(found(50), { readings: [...readings, silent, mirror] }), AFTER)[0]).toBe("promote");
  });

  it("is not promoted while a source that answered does not know it: one that took it back lists it no more", () => {
    const { readings } = known([release("v3.253.0")]);
    const pypi = { source: "pypi", releases: [release("3.252.0")] };
    expect(decided(begun(found(50), { readings: [...readings, pypi] }), AFTER)).toEqual([
      ...["waiting", "tried for 50 h, but pypi does not know it: not yet, or not any more", []],
    ]);
    const two = [...readings, pypi, { source: "go", releases: [release("v3.252.0")] }];
    expect(decided(begun(found(50), { readings: two }), AFTER)[1]).toContain("pypi and go do not know it");
  });

  it("is not promoted where the third source alone withdraws it", () => {
    const pypi = { source: "pypi", releases: [release("3.253.0", 100, { withdrawn: "yanked: bad" })] };
    const readings = [...known([release("v3.253.0")]).readings, pypi];
    expect(decided(begun(found(50), { readings }), AFTER)).toEqual(["withdrawn", "pypi: yanked: bad", []]);
  });

  it("gets latest later, where the first run was cut off behind its version", () => {
    const tags = ["dev-v3.253.0", "v3.253.0"];
    expect(tagsToLookUp(tags, AFTER)).toEqual(["dev-v3.253.0", "v3.253.0"]);
    expect(decided(begun(found(50), { tags }), AFTER)).toEqual(["promote", "tried for 50 h", ["latest-v3.253.0"]]);
  });

  it("gets latest at the commit of its version, where somebody released that at another one", () => {
    const released = found(60, [], { commit: "d".repeat(40) });
    const findings = new Map([
      ["dev-v3.253.0", found(50)],
      ["v3.253.0", released],
    ]);
    const [decision] = decide(begun(undefined, { tags: ["dev-v3.253.0", "v3.253.0"], findings }), AFTER).versions;
    expect(decision?.tags.map(({ name, commit }) => [name, commit])).toEqual([["latest-v3.253.0", "d".repeat(40)]]);
  });

  it("never moves latest back", () => {
    const tags = ["dev-v3.253.0", "v3.254.0"];
    expect(decided(begun(found(50), { tags }), AFTER)[2]).toEqual(["v3.253.0"]);
    const released = ["dev-v3.253.0", "v3.253.0", "v3.254.0"];
    expect(decided(begun(found(50), { tags: released }), AFTER)).toEqual([
      ...["done", "released by dev-v3.253.0, v3.253.0", []],
    ]);
  });

  it("does not stop the next one by failing", () => {
    const one = begun(found(9, ["a:v1"]), {
      readings: known([release("v3.253.0"), release("v3.254.0")]).readings,
    });
    expect(decide(one, AFTER).versions.map(({ version, verdict }) => [version, verdict])).toEqual([
      ["3.254.0", "release"],
      ["3.253.0", "failed"],
    ]);
  });
});
