import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Package } from "../../../../cache/graph.ts";
import { divide } from "../../../../cache/plan/division.ts";
import { BASE_SHARD, type Division, type Shard } from "../../../../cache/plan.ts";
import {
  division,
  needsOf,
  packageOf,
  programOf,
  repository,
  REST,
  soundOf,
  working,
  type Repository,
} from "./repository.ts";

const CORES = { cores: 2 };

function divided({ graph, programs }: Repository, by: Division, more: object = {}): readonly Shard[] {
  return divide(graph, programs, by, { ...CORES, ...more });
}

/** A repository of these packages, and a program of provider `any` for each that is called `main/…`. */
function repositoryOf(packages: readonly Package[], provider = "any"): Repository {
  const programs = packages
    .filter(({ importPath }) => importPath.startsWith("main/"))
    .map(({ importPath }) => programOf(importPath.slice("main/".length), provider));
  return {
    programs,
    graph: {
      ...REST,
      packages: new Map(packages.map((pkg) => [pkg.importPath, pkg])),
      roots: new Map(programs.map(({ directory }) => [directory, `main/${directory}`])),
    },
  };
}

const membersOf = (shards: readonly Shard[]) => working(shards).map(({ programs }) => [...programs].sort());

describe("divide", () => {
  it("puts every program that loads into exactly one shard, and no other", () => {
    fc.assert(
      fc.property(repository, division, fc.boolean(), (repo, by, together) => {
        const placed = divided(repo, by, { together }).flatMap(({ programs }) => programs);
        expect(placed.sort()).toEqual(
          soundOf(repo)
            .map(({ directory }) => directory)
            .sort(),
        );
      }),
    );
  });

  it("has every needed package compiled by the base, or else by each shard that needs it, and nothing else", () => {
    fc.assert(
      fc.property(repository, division, (repo, by) => {
        const shards = divided(repo, by);
        const base = new Set(Object.keys(shards.find(({ id }) => id === BASE_SHARD)?.packages ?? {}));
        const needs = working(shards).map((shard) => ({ shard, needed: needsOf(repo, shard.programs) }));
        for (const { shard, needed } of needs) {
          const own = [...needed].filter((name) => !base.has(name));
          expect(Object.keys(shard.packages).sort()).toEqual(own.sort());
        }
        for (const name of base) {
          expect(needs.filter(({ needed }) => needed.has(name)).length).toBeGreaterThan(1);
        }
      }),
    );
  });

  it("has in the base whatever its packages import", () => {
    fc.assert(
      fc.property(repository, division, (repo, by) => {
        const base = new Set(Object.keys(divided(repo, by).find(({ id }) => id === BASE_SHARD)?.packages ?? {}));
        for (const name of base) {
          for (const below of repo.graph.packages.get(name)?.imports ?? []) expect(base).toContain(below);
        }
      }),
    );
  });

  it("gives each shard's packages the cost that they add up to", () => {
    fc.assert(
      fc.property(repository, division, (repo, by) => {
        for (const { packages, cost } of divided(repo, by)) {
          const seconds = Object.values(packages).reduce((sum, value) => sum + value, 0);
          expect(cost).toBeCloseTo(seconds, 2);
        }
      }),
    );
  });

  it("does not depend on the order in which anything was read", () => {
    const permuted = repository.chain((repo) =>
      fc
        .tuple(
          fc.shuffledSubarray([...repo.programs], { minLength: repo.programs.length }),
          fc.shuffledSubarray([...repo.graph.packages], { minLength: repo.graph.packages.size }),
        )
        .map(([programs, packages]) => ({ repo, programs, graph: { ...repo.graph, packages: new Map(packages) } })),
    );
    fc.assert(
      fc.property(permuted, division, ({ repo, programs, graph }, by) => {
        expect(JSON.stringify(divided({ programs, graph }, by))).toBe(JSON.stringify(divided(repo, by)));
      }),
    );
  });

  it("makes no empty shard: as many as asked for, or one a program", () => {
    fc.assert(
      fc.property(repository, fc.integer({ min: 1, max: 12 }), (repo, count) => {
        const shards = working(divided(repo, { count }));
        expect(shards).toHaveLength(Math.min(count, soundOf(repo).length));
        for (const { programs } of shards) expect(programs.length).toBeGreaterThan(0);
      }),
    );
  });

  it("keeps the programs of a provider together where it must, at the price of fewer shards", () => {
    fc.assert(
      fc.property(repository, fc.integer({ min: 1, max: 12 }), (repo, count) => {
        const shards = working(divided(repo, { count }, { together: true }));
        const providers = new Set(soundOf(repo).map(({ provider }) => provider));
        expect(shards).toHaveLength(Math.min(count, providers.size));
        for (const provider of providers) {
          const homes = shards.filter(({ programs }) => programs.some((name) => name.split("/")[1] === provider));
          expect(homes).toHaveLength(1);
        }
      }),
    );
  });

  it("compiles no more on the way to its end than one shard does alone", () => {
    fc.assert(
      fc.property(repository, fc.integer({ min: 2, max: 12 }), (repo, count) => {
        const [one] = divided(repo, { count: 1 });
        const shards = divided(repo, { count });
        const base = shards.find(({ id }) => id === BASE_SHARD)?.cost ?? 0;
        const last = Math.max(0, ...working(shards).map(({ cost }) => cost));
        expect(base + last).toBeLessThanOrEqual((one?.cost ?? 0) + 0.05);
      }),
    );
  });

  it("makes a shard a provider, by name", () => {
    fc.assert(
      fc.property(repository, (repo) => {
        const shards = working(divided(repo, { by: "provider" }));
        expect(shards.map(({ id }) => id)).toEqual([...new Set(soundOf(repo).map(({ provider }) => provider))].sort());
        for (const { id, programs } of shards)
          for (const directory of programs) expect(directory.split("/")[1]).toBe(id);
      }),
    );
  });

  it("gives a program with a giant a shard of its own", () => {
    const small = Array.from({ length: 6 }, (_, index) => packageOf(`main/small${index}`, [`lib${index}`], 0));
    const libraries = small.map((_, index) => packageOf(`lib${index}`, [], 500_000));
    const giant = [packageOf("main/giant", ["compute"], 0), packageOf("compute", [], 30_000_000)];
    const shards = divided(repositoryOf([...small, ...libraries, ...giant]), { count: 3 });
    expect(membersOf(shards)).toContainEqual(["giant"]);
  });

  it("keeps programs that share a giant together, and does not let all others wait for it", () => {
    const sharing = ["a", "b"].map((name) => packageOf(`main/${name}`, ["compute", "core"], 0));
    const others = ["x", "y"].flatMap((name) => [
      packageOf(`main/${name}`, [`lib-${name}`, "core"], 0),
      packageOf(`lib-${name}`, [], 20_000_000),
    ]);
    const packages = [...sharing, ...others, packageOf("compute", [], 20_000_000), packageOf("core", [], 100_000)];
    const shards = divided(repositoryOf(packages), { count: 3 });
    expect(membersOf(shards)).toContainEqual(["a", "b"]);
    expect(Object.keys(shards[0]?.packages ?? {})).toEqual(["core"]);
  });

  it("compiles a giant in each of two shards rather than making a third wait for it in the base", () => {
    const own = (name: string, imports: readonly string[]) => [
      packageOf(`main/${name}`, [...imports, `lib-${name}`], 0),
      packageOf(`lib-${name}`, [], 30_000_000),
    ];
    const packages = [...own("a", ["giant"]), ...own("b", ["giant"]), ...own("c", ["lib-d"]), ...own("d", [])];
    const shards = divided(repositoryOf([...packages, packageOf("giant", [], 20_000_000)]), { count: 4 });
    const compiling = shards.filter(({ packages: own }) => own.giant !== undefined).map(({ programs }) => programs);
    expect(compiling).toEqual([["a"], ["b"]]);
  });

  it("keeps packages of which memory holds one at a time apart", () => {
    const kits = ["a", "b", "c"].flatMap((name) => [
      packageOf(`main/${name}`, [`kit-${name}`], 0),
      packageOf(`kit-${name}`, [], name === "c" ? 3_000_000 : 4_000_000),
    ]);
    const timings = { seconds: { "kit-a": 10, "kit-b": 10, "kit-c": 40 }, bytes: { "kit-a": 5e8, "kit-b": 5e8 } };
    const repo = repositoryOf(kits);
    expect(membersOf(divided(repo, { count: 2 }, { timings }))).toContainEqual(["a", "b"]);
    const careful = divided(
      repo,
      { count: 2 },
      { timings: { ...timings, seconds: { ...timings.seconds, "kit-c": 15 } }, memory: 8e9 },
    );
    expect(membersOf(careful)).not.toContainEqual(["a", "b"]);
  });

  it("tells Go first of the program whose imports take longest", () => {
    const packages = [packageOf("main/a", [], 0), packageOf("main/z", ["kit"], 0), packageOf("kit", [], 4_000_000)];
    const [shard] = divided(repositoryOf(packages), { count: 1 });
    expect(shard?.programs).toEqual(["z", "a"]);
    expect(Object.keys(shard?.packages ?? {})).toEqual(["main/z", "kit", "main/a"]);
  });

  it("has no base where nothing is shared, and no shard where no program loads", () => {
    const repo = repositoryOf([packageOf("main/a", ["lib"]), packageOf("lib", [])], "gcp");
    expect(divided(repo, { by: "provider" }).map(({ id }) => id)).toEqual(["gcp"]);
    const none = { ...repo, graph: { ...repo.graph, roots: new Map<string, string>() } };
    expect(divided(none, { by: "provider" })).toEqual([]);
    expect(divided(none, { count: 3 })).toEqual([]);
  });

  it("believes a measured time before an estimate", () => {
    const repo = repositoryOf([packageOf("main/a", ["lib"], 0), packageOf("lib", [])], "gcp");
    const [shard] = divided(repo, { by: "provider" }, { timings: { seconds: { lib: 60 } } });
    expect(shard?.packages).toEqual({ "main/a": 0.04, lib: 60 });
  });

  it("keeps packages of one import path apart, and names them by it", () => {
    const kit = (team: string, bytes: number) =>
      [`./${team}/kit`, packageOf("example.com/team/kit", [], bytes)] as const;
    const main = (team: string) => [`./${team}/app`, packageOf(`example.com/team/app`, [`./${team}/kit`], 0)] as const;
    const packages = new Map([kit("red", 570_000), kit("blue", 5_700_000), main("red"), main("blue")]);
    const roots = new Map(["red", "blue"].map((team) => [`${team}/app`, `./${team}/app`]));
    const programs = [programOf("red/app", "aws"), programOf("blue/app", "gcp")];
    const repo = { graph: { ...REST, packages, roots }, programs };
    expect(divided(repo, { by: "provider" })).toMatchObject([
      { id: "aws", packages: { "example.com/team/kit": 1.04, "example.com/team/app": 0.04 }, cost: 1.08 },
      { id: "gcp", packages: { "example.com/team/kit": 10.04, "example.com/team/app": 0.04 }, cost: 10.08 },
    ]);
    // In one shard both are compiled, so their costs add up.
    expect(divided(repo, { count: 1 })).toMatchObject([
      { packages: { "example.com/team/kit": 11.08, "example.com/team/app": 0.08 }, cost: 11.16 },
    ]);
  });

  it("predicts more from nothing than after the base, and no less than the longest chain allows", () => {
    fc.assert(
      fc.property(repository, division, (repo, by) => {
        for (const { predicted, cost } of divided(repo, by)) {
          expect(predicted?.alone).toBeGreaterThanOrEqual(predicted?.wall ?? Infinity);
          expect(predicted?.cpu).toBeGreaterThanOrEqual(cost - 0.1);
          expect(predicted?.wall).toBeGreaterThanOrEqual(cost / CORES.cores - 0.1);
        }
      }),
    );
  });
});
