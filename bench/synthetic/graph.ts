import type { Graph, Package } from "../../cache/graph.ts";
import type { Program } from "../../cache/programs.ts";

export interface SyntheticSize {
  /** Packages besides the programs' own. */
  readonly packages: number;
  readonly programs: number;
}

/** A build graph and the programs over it. */
export interface SyntheticRepository {
  readonly graph: Graph;
  readonly programs: readonly Program[];
}

const PROVIDERS = 12;

/**
 * A build graph in the proportions of a real repository of 135 Pulumi programs: half of the packages are common to all, the
 * others are the SDKs of twelve providers, one giant in each, and a program imports a few packages of one. The same
 * for the same sizes.
 */
export function syntheticGraph({ packages: count, programs: programCount }: SyntheticSize): SyntheticRepository {
  const random = generator(count * 31 + programCount);
  const packages = new Map<string, Package>();
  const common = Math.floor(count / 2);
  const add = (name: string, imports: readonly string[], sourceBytes: number) => {
    packages.set(name, { importPath: name, standard: false, main: false, imports, sourceBytes });
    return name;
  };
  const commons: string[] = [];
  for (let index = 0; index < common; index += 1) {
    const below = Array.from({ length: 12 }, () => commons[Math.floor(random() * commons.length)] ?? "");
    const imports = [...new Set([...below, commons.at(-1 - Math.floor(random() * 8)) ?? ""])].filter(Boolean);
    commons.push(add(`common/p${index}`, imports, Math.floor(random() * 100_000)));
  }
  const top = add("common/sdk", commons, 800_000);
  const kits = Array.from({ length: PROVIDERS }, (_, provider) => {
    const giant = add(`sdk/${provider}/giant`, [top], 1_000_000 + Math.floor(random() * 4_000_000));
    const rest = Math.floor((count - common) / PROVIDERS) - 1;
    return Array.from({ length: rest }, (_each, index) =>
      add(`sdk/${provider}/p${index}`, index % 7 === 0 ? [top, giant] : [top], Math.floor(random() * 400_000)),
    );
  });
  const roots = new Map<string, string>();
  const programs = Array.from({ length: programCount }, (_, index): Program => {
    const provider = Math.floor(random() * PROVIDERS);
    const kit = kits[provider] ?? [];
    const imports = Array.from({ length: 4 }, () => kit[Math.floor(random() * kit.length)] ?? top);
    const directory = `modules/p${provider}/m${index}`;
    roots.set(directory, add(`./${directory}`, [...new Set([top, ...imports])], 2_000));
    return { directory, provider: `p${provider}`, module: `m${index}`, goModule: "." };
  });
  return { graph: { packages, roots, faults: new Map(), skipped: [], required: new Map() }, programs };
}

/** Numbers from 0 to below 1 that are the same in every run (mulberry32, Tommy Ettinger). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
