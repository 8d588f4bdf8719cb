import { expect, it } from "vitest";
import { joined, releasedAs } from "../../../../release/watch/upstream.ts";

it.each([
  ["v3.253.0", "3.253.0"],
  ["3.253.0", "3.253.0"],
  ["3.253.0-alpha.1", "3.253.0-alpha.1"],
  ["3.253.0rc1", "3.253.0-rc.1"],
  ["3.253.0.dev2", "3.253.0-dev.2"],
  ["3.253", undefined],
  ["nightly", undefined],
  ["vv3.253.0", undefined],
  ["3.253.0+build", undefined],
  ["../3.253.0", undefined],
  [`3.253.${"1".repeat(120)}`, undefined],
])("%s is version %s", (name, version) => {
  expect(releasedAs(name)?.text).toBe(version);
});

it("joins what sources say: each one's time, the first reason, every name that is none once", () => {
  const { versions, malformed } = joined([
    { source: "github", releases: [{ name: "v1.0.0", published: 20 }, { name: "odd" }] },
    { source: "npm", fault: "away" },
    { source: "pypi", releases: [{ name: "1.0.0", published: 10, withdrawn: "yanked" }, { name: "odd" }] },
  ]);
  expect(versions).toMatchObject([
    { version: { text: "1.0.0" }, knownTo: ["github", "pypi"], withdrawn: "pypi: yanked" },
  ]);
  expect([...(versions[0]?.published ?? [])]).toEqual([
    ["github", 20],
    ["pypi", 10],
  ]);
  expect(malformed).toEqual([{ source: "pypi", name: "odd" }]);
});

it.each([
  [5, 20],
  [20, 5],
])("takes the later of two times that a source tells of one version: %i and %i", (first, second) => {
  const releases = [{ name: "v1.0.0", published: first }, { name: "1.0.0", published: second }, { name: "V1.0.0" }];
  const { versions } = joined([{ source: "github", releases }]);
  expect([...(versions[0]?.published ?? [])]).toEqual([["github", 20]]);
});

it("takes no name for a version that no tag could have, and keeps it short", () => {
  const { versions, malformed } = joined([{ source: "npm", releases: [{ name: "1".repeat(1000) }] }]);
  expect([versions, malformed]).toEqual([[], [{ source: "npm", name: "1".repeat(100) }]]);
});
