import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { closureOf, type Graph, type Package } from "../../../cache/graph.ts";
import {
  BASE_SHARD,
  divide,
  goModuleNeeds,
  matrixOf,
  packageCost,
  type Division,
  type Shard,
} from "../../../cache/plan.ts";
import type { Program } from "../../../cache/programs.ts";

const PROVIDERS = ["aws", "gcp", "k8s"];

function programOf(directory: string, provider: string): Program {
  return { directory, provider, module: directory, goModule: "." };
}

function packageOf(importPath: string, imports: readonly string[], sourceBytes = 40_000): Package {
  return { importPath, standard: false, main: false, imports, sourceBytes };
}

/** What of a graph dividing does not look at. */
const REST = { faults: new Map<string, string>(), skipped: [], required: new Map<string, readonly string[]>() };

interface Repository {
  readonly graph: Graph;
  readonly programs: readonly Program[];
}

/** Programs over libraries that import each other downwards; some programs do not load. */
const repository: fc.Arbitrary<Repository> = fc
  .record({
    libraries: fc.array(fc.record({ imports: fc.array(fc.nat(11), { maxLength: 3 }), bytes: fc.nat(4_000_000) }), {
      minLength: 1,
      maxLength: 12,
    }),
    members: fc.array(
      fc.record({
        provider: fc.constantFrom(...PROVIDERS),
        imports: fc.array(fc.nat(11), { maxLength: 4 }),
        sound: fc.integer({ min: 0, max: 5 }).map((die) => die > 0),
      }),
      { minLength: 1, maxLength: 9 },
    ),
  })
  .map(({ libraries, members }) => {
    const lib = (index: number) => `lib/${index % libraries.length}`;
    const packages = new Map<string, Package>();
    libraries.forEach(({ imports, bytes }, index) => {
      const below = imports.filter((other) => other % libraries.length > index);
      packages.set(lib(index), packageOf(lib(index), below.map(lib), bytes));
    });
    const programs = members.map(({ provider }, index) => programOf(`m/${provider}/p${index}`, provider));
    const [roots, faults] = [new Map<string, string>(), new Map<string, string>()];
    members.forEach(({ imports, sound }, index) => {
      const directory = programs[index]?.directory ?? "";
      if (!sound) {
        faults.set(directory, "does not load");
        return;
      }
      roots.set(directory, `main/${index}`);
      packages.set(`main/${index}`, packageOf(`main/${index}`, imports.map(lib), 4_000));
    });
    return { graph: { ...REST, packages, roots, faults }, programs };
  });

const division: fc.Arbitrary<Division> = fc.oneof(
  fc.constant({ by: "provider" } as const),
  fc.integer({ min: 1, max: 12 }).map((count) => ({ count })),
);

function soundOf({ graph, programs }: Repository): readonly Program[] {
  return programs.filter(({ directory }) => graph.roots.has(directory));
}

/** What the programs of a shard need, by directory. */
function needsOf({ graph }: Repository, directories: readonly string[]): ReadonlySet<string> {
  return closureOf(
    graph.packages,
    directories.map((directory) => graph.roots.get(directory) ?? ""),
  );
}

const working = (shards: readonly Shard[]) => shards.filter(({ id }) => id !== BASE_SHARD);

describe("divide", () => {
  it("puts every program that loads into exactly one shard, and no other", () => {
    fc.assert(
      fc.property(repository, division, (repo, by) => {
        const placed = divide(repo.graph, repo.programs, by).flatMap(({ programs }) => programs);
        expect(placed.sort()).toEqual(
          soundOf(repo)
            .map(({ directory }) => directory)
            .sort(),
        );
      }),
    );
  });

  it("gives every needed package to one shard: its only user, or the base where shards share it", () => {
    fc.assert(
      fc.property(repository, division, (repo, by) => {
        const shards = divide(repo.graph, repo.programs, by);
        const needs = working(shards).map(({ id, programs }) => ({ id, needed: needsOf(repo, programs) }));
        const needed = new Set(needs.flatMap((shard) => [...shard.needed]));
        const compiled = shards.flatMap(({ packages }) => Object.keys(packages));
        expect([...compiled].sort()).toEqual([...needed].sort());
        for (const { id, packages } of shards) {
          for (const name of Object.keys(packages)) {
            const users = needs.filter((shard) => shard.needed.has(name)).map((shard) => shard.id);
            if (id === BASE_SHARD) expect(users.length).toBeGreaterThan(1);
            else expect(users).toEqual([id]);
          }
        }
      }),
    );
  });

  it("gives each shard's packages the cost that they add up to", () => {
    fc.assert(
      fc.property(repository, division, (repo, by) => {
        for (const { packages, cost } of divide(repo.graph, repo.programs, by)) {
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
        const [one, other] = [divide(repo.graph, repo.programs, by), divide(graph, programs, by)];
        expect(JSON.stringify(other)).toBe(JSON.stringify(one));
      }),
    );
  });

  it("makes no empty shard: as many as asked for, or one a program", () => {
    fc.assert(
      fc.property(repository, fc.integer({ min: 1, max: 12 }), (repo, count) => {
        const shards = working(divide(repo.graph, repo.programs, { count }));
        expect(shards).toHaveLength(Math.min(count, soundOf(repo).length));
        for (const { programs } of shards) expect(programs.length).toBeGreaterThan(0);
      }),
    );
  });

  it("is never done later on several shards than on one", () => {
    fc.assert(
      fc.property(repository, fc.integer({ min: 2, max: 12 }), (repo, count) => {
        const [one] = divide(repo.graph, repo.programs, { count: 1 });
        const shards = divide(repo.graph, repo.programs, { count });
        const base = shards.find(({ id }) => id === BASE_SHARD)?.cost ?? 0;
        const last = Math.max(0, ...working(shards).map(({ cost }) => cost));
        expect(base + last).toBeLessThanOrEqual((one?.cost ?? 0) + 0.001);
      }),
    );
  });

  it("makes a shard a provider, by name", () => {
    fc.assert(
      fc.property(repository, (repo) => {
        const shards = working(divide(repo.graph, repo.programs, { by: "provider" }));
        expect(shards.map(({ id }) => id)).toEqual([...new Set(soundOf(repo).map(({ provider }) => provider))].sort());
        for (const { id, programs } of shards)
          for (const directory of programs) expect(directory.split("/")[1]).toBe(id);
      }),
    );
  });

  const small: Repository = {
    programs: [programOf("m/gcp/a", "gcp"), programOf("m/aws/b", "aws"), programOf("m/aws/c", "aws")],
    graph: {
      ...REST,
      packages: new Map(
        [
          packageOf("main/a", ["gcp", "core"], 0),
          packageOf("main/b", ["aws", "core"], 0),
          packageOf("main/c", ["aws"], 0),
          packageOf("aws", ["core"], 4_000_000),
          packageOf("gcp", [], 400_000),
          packageOf("core", [], 800_000),
        ].map((pkg) => [pkg.importPath, pkg]),
      ),
      roots: new Map([
        ["m/gcp/a", "main/a"],
        ["m/aws/b", "main/b"],
        ["m/aws/c", "main/c"],
      ]),
    },
  };

  it("by provider, in full", () => {
    expect(divide(small.graph, small.programs, { by: "provider" })).toEqual([
      { id: "base", programs: [], packages: { core: 2.02 }, cost: 2.02 },
      {
        id: "aws",
        programs: ["m/aws/b", "m/aws/c"],
        packages: { aws: 10.02, "main/b": 0.02, "main/c": 0.02 },
        cost: 10.06,
      },
      { id: "gcp", programs: ["m/gcp/a"], packages: { gcp: 1.02, "main/a": 0.02 }, cost: 1.04 },
    ]);
  });

  it("balanced, puts a program where its dear packages are compiled already", () => {
    const packages = new Map(
      [
        packageOf("main/b", ["aws"], 400_000),
        packageOf("main/c", ["aws"], 0),
        packageOf("main/g", ["gcp"], 0),
        packageOf("aws", [], 3_600_000),
        packageOf("gcp", [], 3_800_000),
      ].map((pkg) => [pkg.importPath, pkg]),
    );
    const programs = ["b", "c", "g"].map((name) => programOf(name, "any"));
    const roots = new Map(programs.map(({ directory }) => [directory, `main/${directory}`]));
    const shards = divide({ ...REST, packages, roots }, programs, { count: 2 });
    expect(shards.map(({ id, programs: members }) => [id, members])).toEqual([
      ["shard-1", ["b", "c"]],
      ["shard-2", ["g"]],
    ]);
  });

  it("has no base where nothing is shared, and no shard where no program loads", () => {
    const [only] = small.programs;
    expect(divide(small.graph, only ? [only] : [], { by: "provider" }).map(({ id }) => id)).toEqual(["gcp"]);
    const none = { ...small.graph, roots: new Map<string, string>() };
    expect(divide(none, small.programs, { by: "provider" })).toEqual([]);
    expect(divide(none, small.programs, { count: 3 })).toEqual([]);
  });

  it("believes a measured time before an estimate", () => {
    const shards = divide(small.graph, small.programs, { by: "provider" }, { gcp: 60 });
    expect(shards.find(({ id }) => id === "gcp")?.packages).toEqual({ gcp: 60, "main/a": 0.02 });
  });

  it("keeps packages of one import path apart, and names them by it", () => {
    const kit = (team: string, bytes: number) =>
      [`./${team}/kit`, packageOf("example.com/team/kit", [], bytes)] as const;
    const main = (team: string) => [`./${team}/app`, packageOf(`example.com/team/app`, [`./${team}/kit`], 0)] as const;
    const packages = new Map([kit("red", 400_000), kit("blue", 4_000_000), main("red"), main("blue")]);
    const roots = new Map(["red", "blue"].map((team) => [`${team}/app`, `./${team}/app`]));
    const programs = [programOf("red/app", "aws"), programOf("blue/app", "gcp")];
    const graph = { ...REST, packages, roots };
    expect(divide(graph, programs, { by: "provider" })).toMatchObject([
      { id: "aws", packages: { "example.com/team/kit": 1.02, "example.com/team/app": 0.02 }, cost: 1.04 },
      { id: "gcp", packages: { "example.com/team/kit": 10.02, "example.com/team/app": 0.02 }, cost: 10.04 },
    ]);
    // In one shard both are compiled, so their costs add up.
    expect(divide(graph, programs, { count: 1 })).toMatchObject([
      { packages: { "example.com/team/kit": 11.04, "example.com/team/app": 0.04 }, cost: 11.08 },
    ]);
  });
});

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
        const made = divide(repo.graph, repo.programs, by);
        const ids = matrixOf({ shards: made }, "x").include.map(({ shard }) => shard);
        const baked = ids.flatMap((id) => made.find((shard) => shard.id === id)?.programs ?? []);
        expect(baked.sort()).toEqual([...repo.graph.roots.keys()].sort());
      }),
    );
  });
});

describe("packageCost", () => {
  it("grows with the source, and is the measured time where there is one", () => {
    expect(packageCost(packageOf("a", [], 400_000))).toBeCloseTo(1.02);
    expect(packageCost(packageOf("a", [], 0))).toBeCloseTo(0.02);
    expect(packageCost(packageOf("a", [], 400_000), { a: 0 })).toBe(0);
    expect(packageCost(packageOf("a", [], 400_000), { b: 9 })).toBeCloseTo(1.02);
  });
});
