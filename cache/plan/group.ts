import { chainsIn, parallelism } from "../makespan.ts";
import type { WeighedGraph, WeighedProgram } from "./weighed-graph.ts";

/** Programs that stay together, and what they need besides the packages that nearly all programs need. */
export interface Atom {
  readonly programs: readonly WeighedProgram[];
  readonly own: Int32Array;
  /** CPU seconds of the longest chain of imports within that. */
  readonly chain: number;
  readonly link: number;
}

/** The runner that compiles a group. */
export interface GroupRunner {
  readonly cores: number;
  /** Packages of which its memory has room for one at a time: kept apart where that is possible. */
  readonly giants?: ReadonlySet<number>;
}

/** What groups are made of. */
export interface Atoms {
  readonly graph: WeighedGraph;
  readonly runner: GroupRunner;
  readonly atoms: readonly Atom[];
  /** CPU seconds of the packages that nearly all programs need: every group compiles them first. */
  readonly common: number;
}

/** What more than this part of the atoms need is common. */
const NEARLY_ALL = 3 / 4;

/** Programs as atoms: each by itself, or those of a provider together. */
export function atomsOf(graph: WeighedGraph, runner: GroupRunner, together = false): Atoms {
  const parts = together
    ? [...Map.groupBy(graph.programs, ({ provider }) => provider).values()]
    : graph.programs.map((program) => [program]);
  const needs = parts.map(([first, ...more]) =>
    first !== undefined && more.length === 0 ? first.needs : neededBy([first, ...more]),
  );
  const users = new Int32Array(graph.keys.length);
  for (const all of needs) for (const index of all) users[index] = (users[index] ?? 0) + 1;
  const apart = Uint8Array.from(users, (count) => Number(count <= NEARLY_ALL * parts.length || count < 2));
  const chains = chainsIn(graph, apart);
  return {
    graph,
    runner,
    common: graph.seconds.reduce((sum, seconds, index) => (apart[index] === 1 ? sum : sum + seconds), 0),
    atoms: parts.map((programs, at) => ({
      programs,
      own: (needs[at] ?? new Int32Array()).filter((index) => apart[index] === 1),
      chain: Math.max(...programs.map(({ root }) => chains[root] ?? 0)),
      link: programs.reduce((sum, { link }) => sum + link, 0),
    })),
  };
}

function neededBy(programs: readonly (WeighedProgram | undefined)[]): Int32Array {
  return Int32Array.from(new Set(programs.flatMap((program) => [...(program?.needs ?? [])]))).sort();
}

/** One group: how late it is done when it compiles all that its atoms need, on a runner of its own. */
export class Group {
  readonly atoms = new Set<Atom>();
  /** CPU seconds of all that it compiles. */
  cpu: number;
  #links = 0;
  /** What `late` was, and the two longest chains, as long as no atom comes or goes. */
  #late: number | undefined;
  #chains: readonly [longest: number, second: number] | undefined;
  /** CPU seconds of its giants. */
  #giants = 0;
  readonly #users: Int32Array;
  readonly #all: Atoms;

  constructor(all: Atoms) {
    this.#all = all;
    this.#users = new Int32Array(all.graph.keys.length);
    this.cpu = all.common;
  }

  get late(): number {
    this.#late ??= this.#lateOf(this.cpu, this.#links, this.#longest[0], this.#giants);
    return this.#late;
  }

  lateWith(atoms: readonly Atom[]): number {
    let [cpu, links, giants] = [this.cpu, this.#links, this.#giants];
    const added = atoms.length > 1 ? new Set<number>() : undefined;
    for (const { own, link } of atoms) {
      links += link;
      for (const index of own) {
        if ((this.#users[index] ?? 0) > 0 || added?.has(index) === true) continue;
        added?.add(index);
        cpu += this.#secondsOf(index);
        giants += this.#giantSeconds(index);
      }
    }
    return this.#lateOf(cpu, links, Math.max(this.#longest[0], longestTwo(atoms)[0]), giants);
  }

  lateWithout(atom: Atom): number {
    let [cpu, giants] = [this.cpu, this.#giants];
    for (const index of atom.own) {
      if ((this.#users[index] ?? 0) > 1) continue;
      cpu -= this.#secondsOf(index);
      giants -= this.#giantSeconds(index);
    }
    const [longest, second] = this.#longest;
    return this.#lateOf(cpu, this.#links - atom.link, atom.chain < longest ? longest : second, giants);
  }

  add(atom: Atom): void {
    this.atoms.add(atom);
    this.#forget();
    this.#links += atom.link;
    for (const index of atom.own) this.#count(index, 1);
  }

  remove(atom: Atom): void {
    this.atoms.delete(atom);
    this.#forget();
    this.#links -= atom.link;
    for (const index of atom.own) this.#count(index, -1);
  }

  /** Has these atoms and no others. */
  become(atoms: readonly Atom[]): void {
    const wanted = new Set(atoms);
    for (const atom of [...this.atoms]) if (!wanted.has(atom)) this.remove(atom);
    for (const atom of atoms) if (!this.atoms.has(atom)) this.add(atom);
  }

  get #longest(): readonly [number, number] {
    this.#chains ??= longestTwo(this.atoms);
    return this.#chains;
  }

  #forget(): void {
    this.#late = undefined;
    this.#chains = undefined;
  }

  /** Notes that one atom more, or one less, needs a package: the first makes it the group's, the last ends that. */
  #count(index: number, change: 1 | -1): void {
    const before = this.#users[index] ?? 0;
    this.#users[index] = before + change;
    if (before > 0 && before + change > 0) return;
    this.cpu += change * this.#secondsOf(index);
    this.#giants += change * this.#giantSeconds(index);
  }

  #secondsOf(index: number): number {
    return this.#all.graph.seconds[index] ?? 0;
  }

  #giantSeconds(index: number): number {
    return this.#all.runner.giants?.has(index) === true ? this.#secondsOf(index) : 0;
  }

  /**
   * Seconds of the common packages, and then of the others: between the least that is possible and the most that Go takes
   * (Graham's bounds), in the middle. Giants that meet are compiled one after the other, so they are a chain as well.
   */
  #lateOf(cpu: number, links: number, longest: number, giants: number): number {
    const { common, runner } = this.#all;
    const [own, chain] = [cpu - common, Math.max(longest, giants)];
    const serial = chain / parallelism(runner.cores);
    const least = Math.max(own / runner.cores, serial);
    const most = serial + Math.max(0, own - chain) / runner.cores;
    return (common + links) / runner.cores + (least + most) / 2;
  }
}

/** The longest chain of atoms, and the longest of the others: the same where two are as long. */
function longestTwo(atoms: Iterable<Atom>): readonly [number, number] {
  let [longest, second] = [0, 0];
  for (const { chain } of atoms) {
    if (chain > longest) [longest, second] = [chain, longest];
    else if (chain > second) second = chain;
  }
  return [longest, second];
}
