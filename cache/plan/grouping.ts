import { atomsOf, Group, type Atom, type Atoms, type GroupRunner } from "./group.ts";
import type { WeighedGraph, WeighedProgram } from "./weighed-graph.ts";

export interface GroupingOptions extends GroupRunner {
  readonly count: number;
  /** Whether all programs of a provider stay in one group. */
  readonly together?: boolean;
}

/** Packages that programs are kept together by, at first: by parts of what each group would compile if all were even. */
const DEGREES = [Infinity, 1, 1 / 2, 1 / 4, 1 / 8, 1 / 32];

/**
 * Divides programs into `count` groups, or fewer where there are fewer programs, so that the slowest group, which compiles all
 * that its programs need, is done early, and packages are compiled in few groups. Programs that share dear packages are first
 * kept together, at several degrees, and put longest first into the group that they make least late (Graham's LPT); then
 * single programs move out of the slowest group as long as that helps. The best of all degrees is taken. Deterministic.
 */
export function groupPrograms(graph: WeighedGraph, options: GroupingOptions): readonly (readonly WeighedProgram[])[] {
  const all = atomsOf(graph, options, options.together);
  const count = Math.min(options.count, all.atoms.length);
  if (count === 0) return [];
  if (count === 1) return [graph.programs];
  const even = graph.seconds.reduce((sum, seconds) => sum + seconds, 0) / count;
  let best: Groups | undefined;
  for (const degree of DEGREES) {
    const groups = new Groups(all, count);
    groups.fill(clustered(all, degree * even));
    groups.occupyAll();
    groups.improve();
    if (best === undefined || groups.price < best.price - 1e-9) best = groups;
  }
  return best?.programs() ?? [];
}

/** Unites atoms that share a package of at least so many seconds. */
function clustered({ graph, atoms }: Atoms, seconds: number): readonly (readonly Atom[])[] {
  const leaders = new Map<Atom, Atom>();
  const leaderOf = (atom: Atom): Atom => {
    const above = leaders.get(atom);
    return above === undefined ? atom : leaderOf(above);
  };
  const firstUsers = new Map<number, Atom>();
  for (const atom of atoms) {
    for (const index of atom.own) {
      if ((graph.seconds[index] ?? 0) < seconds) continue;
      const user = firstUsers.get(index);
      if (user === undefined) {
        firstUsers.set(index, atom);
        continue;
      }
      const [one, other] = [leaderOf(atom), leaderOf(user)];
      if (one !== other) leaders.set(one, other);
    }
  }
  return [...Map.groupBy(atoms, leaderOf).values()];
}

/** Of the groups that a program may move to, so many of the earliest are tried. */
const TARGETS = 12;
/** Where there are more groups, or more atoms in one, none is taken apart to make room: there are moves enough without. */
const ROOM = { groups: 32, atoms: 24 };

/** Groups of atoms while they are being made. */
class Groups {
  readonly #all: Atoms;
  readonly #groups: readonly Group[];

  constructor(all: Atoms, count: number) {
    this.#all = all;
    this.#groups = Array.from({ length: count }, () => new Group(all));
  }

  /** Longest first, each cluster where it makes a group least late. */
  fill(clusters: readonly (readonly Atom[])[]): void {
    const weighed = clusters.map((atoms) => ({ atoms, late: new Group(this.#all).lateWith(atoms) }));
    for (const { atoms } of weighed.sort((a, b) => b.late - a.late)) {
      const target = leastBy(this.#groups, (group) => group.lateWith(atoms));
      for (const atom of atoms) target?.add(atom);
    }
  }

  /** Gives every group an atom: those that have none take from the latest that can spare one. */
  occupyAll(): void {
    for (const empty of this.#groups.filter((group) => group.atoms.size === 0)) {
      const giver = leastBy(
        this.#groups.filter((group) => group.atoms.size > 1),
        (group) => -group.late,
      );
      const atom = giver && leastBy([...giver.atoms], (one) => giver.lateWithout(one));
      if (!giver || !atom) return;
      giver.remove(atom);
      empty.add(atom);
    }
  }

  /** Moves atoms out of the latest group, alone or making room for them, while that makes the latest of all earlier. */
  improve(): void {
    for (let moves = 4 * this.#all.atoms.length; moves > 0; moves -= 1) {
      const latest = leastBy(this.#groups, (group) => -group.late);
      if (!latest || latest.atoms.size < 2 || !(this.#moveOne(latest) || this.#moveWithRoom(latest))) return;
    }
  }

  #moveOne(latest: Group): boolean {
    const targets = this.#earliest(latest);
    const choices = [...latest.atoms].flatMap((atom) => {
      const left = latest.lateWithout(atom);
      return targets.map((group) => ({ atom, group, late: Math.max(left, group.lateWith([atom])) }));
    });
    const move = leastBy(choices, (choice) => choice.late);
    if (!move || move.late >= latest.late - 1e-9) return false;
    latest.remove(move.atom);
    move.group.add(move.atom);
    return true;
  }

  /** Moves an atom to a group whose own atoms then go wherever they make least late (an ejection chain of one step). */
  #moveWithRoom(latest: Group): boolean {
    if (latest.atoms.size > ROOM.atoms || this.#groups.length > ROOM.groups) return false;
    const before = latest.late;
    for (const atom of [...latest.atoms]) {
      for (const group of this.#earliest(latest)) {
        if (group.atoms.size > ROOM.atoms) continue;
        const homes = this.#groups.map(({ atoms }) => [...atoms]);
        latest.remove(atom);
        const ejected = [...group.atoms];
        for (const one of ejected) group.remove(one);
        group.add(atom);
        for (const one of ejected.sort((a, b) => b.chain - a.chain)) {
          leastBy(this.#groups, (other) => other.lateWith([one]))?.add(one);
        }
        if (Math.max(...this.#groups.map(({ late }) => late)) < before - 1e-9) return true;
        this.#groups.forEach((other, at) => {
          other.become(homes[at] ?? []);
        });
      }
    }
    return false;
  }

  #earliest(latest: Group): readonly Group[] {
    const others = this.#groups.filter((group) => group !== latest);
    return others.sort((a, b) => a.late - b.late).slice(0, TARGETS);
  }

  /** A second of the slowest group is worth four of all: groups that share much are not split for next to nothing. */
  get price(): number {
    const latest = Math.max(...this.#groups.map((group) => group.late));
    const total = this.#groups.reduce((sum, group) => sum + group.cpu, 0);
    return latest + total / (4 * this.#groups.length * this.#all.runner.cores);
  }

  programs(): readonly (readonly WeighedProgram[])[] {
    return this.#groups.map(({ atoms }) => [...atoms].flatMap(({ programs }) => programs));
  }
}

/** The first item of the smallest value. */
function leastBy<T>(items: Iterable<T>, valueOf: (item: T) => number): T | undefined {
  let [best, least]: [T | undefined, number] = [undefined, Infinity];
  for (const item of items) {
    const value = valueOf(item);
    if (best === undefined || value < least - 1e-9) [best, least] = [item, value];
  }
  return best;
}
