import fc from "fast-check";
import { closureOf, type Graph, type Package } from "../../../../cache/graph.ts";
import { BASE_SHARD, type Division, type Shard } from "../../../../cache/plan.ts";
import type { Program } from "../../../../cache/programs.ts";

const PROVIDERS = ["aws", "gcp", "k8s"];

export function programOf(directory: string, provider: string): Program {
  return { directory, provider, module: directory, goModule: "." };
}

export function packageOf(importPath: string, imports: readonly string[], sourceBytes = 40_000): Package {
  return { importPath, standard: false, main: false, imports, sourceBytes };
}

/** What of a graph dividing does not look at. */
export const REST = { faults: new Map<string, string>(), skipped: [], required: new Map<string, readonly string[]>() };

export interface Repository {
  readonly graph: Graph;
  readonly programs: readonly Program[];
}

/** Programs over libraries that import each other downwards; some programs do not load. */
export const repository: fc.Arbitrary<Repository> = fc
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

export const division: fc.Arbitrary<Division> = fc.oneof(
  fc.constant({ by: "provider" } as const),
  fc.integer({ min: 1, max: 12 }).map((count) => ({ count })),
);

export function soundOf({ graph, programs }: Repository): readonly Program[] {
  return programs.filter(({ directory }) => graph.roots.has(directory));
}

/** What the programs of a shard need, by directory. */
export function needsOf({ graph }: Repository, directories: readonly string[]): ReadonlySet<string> {
  return closureOf(
    graph.packages,
    directories.map((directory) => graph.roots.get(directory) ?? ""),
  );
}

export const working = (shards: readonly Shard[]) => shards.filter(({ id }) => id !== BASE_SHARD);
