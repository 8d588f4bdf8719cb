import { actionText } from "../build-id.ts";
import type { Answer } from "./entries.ts";
import type { Unit } from "./units.ts";

/** An action that the cache answers with another output than compiling or linking gives. */
export interface Difference {
  readonly action: string;
  /** The key of the package, or the directory of the program; where no build says whose it is, `undefined`. */
  readonly of: string | undefined;
  readonly kind: Unit["kind"];
  /** SHA-256 of the output in the cache, and of the one made now. */
  readonly cached: string;
  readonly made: string;
}

/** An action of one side only. */
export interface StrayAction {
  readonly action: string;
  readonly of: string | undefined;
  readonly kind: Unit["kind"];
}

export interface Comparison {
  readonly differing: readonly Difference[];
  /** Actions in the cache that no build of its programs asks for: planted, or made from inputs that were forged. */
  readonly unmade: readonly StrayAction[];
  /** Actions that builds ask for and the cache does not have. */
  readonly missing: readonly StrayAction[];
  /** Indexes of modules without all their files, or keyed by another Go installation's file times; notes of no known work. */
  readonly unchecked: number;
}

/** Both sides of a comparison. */
export interface Compared {
  /** What the cache answered before. */
  readonly cached: ReadonlyMap<string, Answer>;
  /** What was to be made again, of the cache. */
  readonly chosen: readonly Unit[];
  /** All that a cache has after the builds, by action. */
  readonly made: ReadonlyMap<string, Answer>;
  /** Whether module indexes are comparable: they are made from whole modules, tests included. */
  readonly wholeModules: boolean;
  /** Whose an action is, by its text in build IDs. */
  readonly owners: ReadonlyMap<string, string>;
}

/** Compares, action by action, what a cache had with what was made now. Every difference is in exactly one list. */
export function compareActions({ cached, chosen, made, wholeModules, owners }: Compared): Comparison {
  const differing: Difference[] = [];
  const unmade: StrayAction[] = [];
  let unchecked = 0;
  for (const unit of chosen) {
    const of = owners.get(actionText(unit.action));
    const again = made.get(unit.action);
    if (unit.kind === "index" && !wholeModules) {
      if (again?.output !== cached.get(unit.action)?.output) unchecked += 1;
      continue;
    }
    if (again === undefined && (unit.kind === "index" || unit.kind === "note")) unchecked += 1;
    else if (again === undefined) unmade.push({ action: unit.action, of, kind: unit.kind });
    for (const action of [unit.action, ...unit.notes]) {
      const [before, after] = [cached.get(action), made.get(action)];
      if (before === undefined || after === undefined || before.output === after.output) continue;
      differing.push({ action, of, kind: before.kind, cached: before.output, made: after.output });
    }
  }
  const missing = [...made]
    .filter(([action, { kind }]) => !cached.has(action) && (kind === "package" || kind === "program"))
    .map(([action, { kind }]) => ({ action, of: owners.get(actionText(action)), kind }));
  return { differing, unmade, missing, unchecked };
}
