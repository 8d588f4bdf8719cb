import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { laneKey, laneOf, laneScaleSet, parseLanes } from "../../../cache/lanes.ts";

const PROVIDERS = ["auth0", "aws", "azure", "civo", "cloudflare", "gcp", "github", "kubernetes", "random", "snowflake"];
const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/).filter((text) => !/^shard-[1-9]\d*$/.test(text));
const count = fc.integer({ min: 1, max: 256 });

it("names lanes as their volumes and scale sets are named", () => {
  expect([laneKey(0), laneScaleSet("dev-acme-baker", 3)]).toEqual(["lane-0", "dev-acme-baker-lane-3"]);
});

describe("the lane of a shard", () => {
  it("is one of them", () => {
    fc.assert(
      fc.property(name, count, (shard, lanes) => {
        const lane = laneOf(shard, lanes);
        expect(Number.isInteger(lane) && lane >= 0 && lane < lanes).toBe(true);
      }),
    );
  });

  it("is the same in every run: these are the caches that exist", () => {
    expect(Object.fromEntries(PROVIDERS.map((provider) => [provider, laneOf(provider, 4)]))).toEqual({
      auth0: 3,
      aws: 2,
      azure: 1,
      civo: 2,
      cloudflare: 3,
      gcp: 0,
      github: 3,
      kubernetes: 3,
      random: 0,
      snowflake: 2,
    });
  });

  it("moves to a new lane or stays, when there is one more", () => {
    fc.assert(
      fc.property(name, count, (shard, lanes) => {
        expect([laneOf(shard, lanes), lanes]).toContain(laneOf(shard, lanes + 1));
      }),
    );
  });

  it("is each about equally often", () => {
    const shards = Array.from({ length: 4_000 }, (_, index) => `provider-${index}`);
    const sizes = [...Map.groupBy(shards, (shard) => laneOf(shard, 8)).values()].map(({ length }) => length);
    expect(sizes).toHaveLength(8);
    for (const size of sizes) expect(Math.abs(size - 500)).toBeLessThan(100);
  });

  it("is its own for each of as many numbered shards as there are lanes", () => {
    fc.assert(
      fc.property(count, (lanes) => {
        const used = Array.from({ length: lanes }, (_, index) => laneOf(`shard-${index + 1}`, lanes));
        expect(new Set(used).size).toBe(lanes);
      }),
    );
    expect([1, 2, 3, 4, 5].map((number) => laneOf(`shard-${number}`, 2))).toEqual([0, 1, 0, 1, 0]);
  });

  it.each(["shard-0", "shard-", "shard-01", "shard-1a", "my-shard-1"])("of %s is that of any name", (shard) => {
    expect(laneOf(shard, 1)).toBe(0);
    expect(laneOf(shard, 256)).toBeLessThan(256);
  });
});

describe("--lanes", () => {
  it.each([
    ["trusted:4", "trusted", 4],
    ["a:1", "a", 1],
    ["dev-acme-baker:256", "dev-acme-baker", 256],
    [`${"a".repeat(38)}:10`, "a".repeat(38), 10],
  ])("%s", (text, prefix, lanes) => {
    expect(parseLanes(text)).toEqual({ prefix, count: lanes });
  });

  it.each([
    "",
    "trusted",
    "trusted:",
    ":4",
    "trusted:0",
    "trusted:-1",
    "trusted:1.5",
    "trusted:257",
    "trusted:04",
    "Trusted:4",
    "-a:4",
    "a-:4",
    "a b:4",
    `${"a".repeat(38)}:11`,
  ])("%j is refused", (text) => {
    expect(() => parseLanes(text)).toThrow(
      expect.objectContaining({ kind: "usage", mend: expect.stringContaining("such as trusted:4") as string }),
    );
  });
});
