import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Graph, Package } from "../../../cache/graph.ts";
import { divide } from "../../../cache/plan/division.ts";
import { BASE_SHARD, goModuleNeeds, matrixOf, type Shard } from "../../../cache/plan.ts";
import { division, packageOf, repository, REST } from "./plan/repository.ts";

describe("goModuleNeeds", () => {
  const packages = new Map<string, Package>([
    ["a@v1", { ...packageOf("a", ["b@v1"]), goModule: "a@v1" }],
    ["b@v1", { ...packageOf("b", []), goModule: "b@v1" }],
    ["broken@v1", { ...packageOf("broken", []), goModule: "broken@v1" }],
    ["./app", packageOf("app", ["a@v1"])],
  ]);
  const graph: Graph = {
    ...REST,
    packages,
    roots: new Map([["app", "./app"]]),
    required: new Map([
      ["other", ["b@v2"]],
      [".", ["a@v1", "b@v1", "broken@v1", "unused@v1"]],
    ]),
  };

  it("says what each go.mod requires and which of it no program that loads is compiled from", () => {
    expect(goModuleNeeds(graph)).toEqual({
      ".": { required: ["a@v1", "b@v1", "broken@v1", "unused@v1"], spare: ["broken@v1", "unused@v1"] },
      other: { required: ["b@v2"], spare: ["b@v2"] },
    });
    expect(Object.keys(goModuleNeeds(graph))).toEqual([".", "other"]);
  });

  it("calls all spare where nothing loads", () => {
    expect(goModuleNeeds({ ...graph, roots: new Map() })["."]?.spare).toHaveLength(4);
  });
});

describe("matrixOf", () => {
  const shards = (count: number, base = true): readonly Shard[] => [
    ...(base ? [{ id: BASE_SHARD, programs: [], packages: {}, cost: 1 }] : []),
    ...Array.from({ length: count }, (_, index) => ({ id: `s${index}`, programs: [], packages: {}, cost: 1 })),
  ];

  it("has every shard but the base, with the runner's label", () => {
    expect(matrixOf({ shards: shards(2) }, "big")).toEqual({
      include: [
        { shard: "s0", runs_on: "big" },
        { shard: "s1", runs_on: "big" },
      ],
    });
    expect(matrixOf({ shards: [] }, "big")).toEqual({ include: [] });
  });

  it("sends each shard to its lane, whatever other shards there are", () => {
    const lanes = { prefix: "trusted", count: 3 };
    const shard = (id: string): Shard => ({ id, programs: [], packages: {}, cost: 1 });
    const ids = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/), { minLength: 1, maxLength: 12 });
    const runnersOf = (names: readonly string[]) =>
      new Map(matrixOf({ shards: names.map(shard) }, lanes).include.map((job) => [job.shard, job.runs_on]));
    expect(matrixOf({ shards: [BASE_SHARD, "shard-1", "shard-2"].map(shard) }, lanes)).toEqual({
      include: [
        { shard: "shard-1", runs_on: "trusted-lane-0" },
        { shard: "shard-2", runs_on: "trusted-lane-1" },
      ],
    });
    fc.assert(
      fc.property(
        ids.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all))),
        ([all, some]) => {
          const [before, after] = [runnersOf(all), runnersOf(some)];
          for (const [id, runner] of after) expect(runner).toBe(before.get(id));
          for (const runner of before.values()) expect(runner).toMatch(/^trusted-lane-[012]$/);
        },
      ),
    );
  });

  it("takes as many as GitHub does, the base not counted, and refuses one more", () => {
    expect(matrixOf({ shards: shards(256) }, "x").include).toHaveLength(256);
    for (const base of [true, false]) {
      expect(() => matrixOf({ shards: shards(257, base) }, "x")).toThrow(
        expect.objectContaining({
          kind: "usage",
          message: "the plan has 257 shards; a GitHub matrix takes 256",
          mend: expect.stringContaining("--shards 256") as string,
        }),
      );
    }
  });

  it("has every program that loads exactly once", () => {
    fc.assert(
      fc.property(repository, division, (repo, by) => {
        const made = divide(repo.graph, repo.programs, by, { cores: 2 });
        const ids = matrixOf({ shards: made }, "x").include.map(({ shard }) => shard);
        const baked = ids.flatMap((id) => made.find((shard) => shard.id === id)?.programs ?? []);
        expect(baked.sort()).toEqual([...repo.graph.roots.keys()].sort());
      }),
    );
  });
});
