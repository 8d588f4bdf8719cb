import { mkdir } from "node:fs/promises";
import path from "node:path";
import type { Progress } from "../progress.ts";
import { actionText } from "./build-id.ts";
import type { GoMounts } from "./go/command.ts";
import type { Program } from "./programs.ts";
import { compilePackages, linkProgram, type CheckedBuild, type FailedBuild } from "./recompile/builds.ts";
import { compareActions, type Comparison, type StrayAction } from "./recompile/comparison.ts";
import { readCheckedEntries, type Answer, type CheckedEntries, type DamagedEntry } from "./recompile/entries.ts";
import { checkModules, moduleSums, type ForeignModule } from "./recompile/module-sums.ts";
import { escapeProbability, sampleActions, type Share } from "./recompile/sample.ts";
import { unitsOf, type Unit } from "./recompile/units.ts";
import { copyActions } from "./recompile/work-copy.ts";
import { readGoSums } from "./source-files.ts";
import { withStagedSource } from "./staged-source.ts";

export interface RecompileOptions {
  /** The caches in question; they stay as they are. */
  readonly mounts: GoMounts;
  /** An empty folder of the check's own, on the disk of the caches where hard links shall do. */
  readonly work: string;
  readonly source: string;
  /** All programs that the caches are warm for. */
  readonly programs: readonly Program[];
  /** Link actions by the directories of programs, where it is known; else every program is built. */
  readonly links?: ReadonlyMap<string, string>;
  readonly share: Share;
  readonly seed: number;
  /** Whether the module cache has modules with all their files, of which indexes are made. */
  readonly wholeModules: boolean;
  readonly progress: Progress;
}

/** What compiling (a sample of) a cache again has shown. */
export interface Recompilation extends Comparison {
  readonly share: Share;
  readonly seed: number;
  /** Compile and link actions that the cache answers, and how many of them were made again. */
  readonly entries: number;
  readonly recompiled: number;
  /** Outputs whose content was compared with the hash they are named by: all. */
  readonly outputs: number;
  readonly damaged: readonly (DamagedEntry & { readonly of?: string })[];
  /** Modules whose files were compared with go.sum, and those that differ: what is compiled from them agrees with itself. */
  readonly wholeModules: boolean;
  readonly modules: number;
  readonly foreign: readonly ForeignModule[];
  /** What does not compile any more from what the cache has. */
  readonly failed: readonly FailedBuild[];
  /** How likely one forged entry was to be missed. */
  readonly escapes: number;
  readonly passed: boolean;
}

/**
 * Compiles a cache's entries again, all or a sample, from the cache's own modules, and compares by action ID what was in the
 * cache with what is made now. What is not drawn is taken from the cache: Go names actions by the content of their inputs,
 * so that a sampled action whose inputs are as they were has the ID that it had.
 */
export async function recompile(options: RecompileOptions): Promise<Recompilation> {
  const { mounts, share, seed, wholeModules, progress } = options;
  progress.step("comparing outputs with their names, and modules with go.sum");
  const sums = moduleSums(await readGoSums(options.source, options.programs));
  // Packs have modules without their tests, which the sums count.
  const { modules, foreign } = await checkModules(mounts.goModCache, wholeModules ? sums : new Map());
  const checked = await readCheckedEntries(mounts.goBuildCache);
  const units = unitsOf(withPrograms(checked.actions, options.links));
  const work = units.filter(({ kind }) => kind === "package" || kind === "program");
  const drawn = sampleActions(
    work.map(({ action }) => action),
    share,
    seed,
  );
  // Indexes are cheap to make, and decide which files a package has: all of them are made again.
  const chosen = units.filter(({ action, kind }) => share === "all" || kind === "index" || drawn.has(action));

  progress.step(`compiling ${drawn.size} of ${work.length} entries again`);
  const again: GoMounts = { ...mounts, goBuildCache: path.join(options.work, "go-build") };
  await copyActions(mounts.goBuildCache, again.goBuildCache, keptActions(checked.actions, chosen));
  return withStagedSource(options.source, options.programs, async ({ root, inside }) => {
    const build = { mounts: again, source: path.join(root, inside), progress };
    const compiled = await compilePackages(build, options.programs, drawn.size);
    const linked = await linkPrograms(build, options, chosen, checked.actions);
    const made = await readCheckedEntries(again.goBuildCache);
    const owners = new Map([...compiled.owners, ...linked.owners]);
    const compared = compareActions({
      ...{ cached: checked.actions, chosen, owners, wholeModules },
      made: new Map([...made.actions, ...linked.made]),
    });
    const lost = new Set([...checked.lost.values()].flat());
    const missing = [...compared.missing.filter(({ action }) => !lost.has(action)), ...linked.missing];
    const failed = [...compiled.failed, ...linked.failed];
    const damaged = damagedOf(checked, owners);
    const faults = [compared.differing, compared.unmade, missing, failed, damaged, foreign];
    return {
      ...{ share, seed, entries: work.length, recompiled: drawn.size, outputs: checked.outputs },
      ...{ ...compared, missing, failed, damaged, wholeModules, modules, foreign },
      escapes: escapeProbability(drawn.size, work.length),
      passed: faults.every(({ length }) => length === 0),
    };
  });
}

/** Go starts whatever is filed under a link action, a script too: it counts as a program, whatever its bytes are. */
function withPrograms(
  actions: CheckedEntries["actions"],
  links: RecompileOptions["links"] = new Map(),
): CheckedEntries["actions"] {
  const linked = new Set(links.values());
  return new Map(
    [...actions].map(([action, answer]) => [action, linked.has(action) ? { ...answer, kind: "program" } : answer]),
  );
}

function keptActions(actions: CheckedEntries["actions"], chosen: readonly Unit[]): ReadonlyMap<string, Answer> {
  const dropped = new Set(chosen.flatMap(({ action, notes }) => [action, ...notes]));
  return new Map([...actions].filter(([action]) => !dropped.has(action)));
}

interface LinkedPrograms {
  readonly owners: ReadonlyMap<string, string>;
  readonly made: ReadonlyMap<string, Answer>;
  readonly missing: readonly StrayAction[];
  readonly failed: readonly FailedBuild[];
}

/** Builds the programs whose link actions were drawn; all, where it is not known whose those are. */
async function linkPrograms(
  build: CheckedBuild,
  { programs, links, share, work }: RecompileOptions,
  chosen: readonly Unit[],
  cached: ReadonlyMap<string, Answer>,
): Promise<LinkedPrograms> {
  const drawn = new Set(chosen.filter(({ kind }) => kind === "program").map(({ action }) => action));
  const actions = new Map(
    [...cached].filter(([, { kind }]) => kind === "program").map(([action]) => [actionText(action), action] as const),
  );
  const known = new Set(links?.values());
  const unknown = [...drawn].some((action) => !known.has(action));
  const wanted = programs.filter(
    ({ directory }) => drawn.size > 0 && (unknown || drawn.has(links?.get(directory) ?? "")),
  );
  const found = {
    owners: new Map<string, string>(),
    made: new Map<string, Answer>(),
    missing: [] as StrayAction[],
    failed: [] as FailedBuild[],
  };
  const out = path.join(work, "programs");
  await mkdir(out, { recursive: true });
  for (const [index, program] of wanted.entries()) {
    build.progress.update(`linking ${program.directory}`, index, wanted.length);
    const linked = await linkProgram(build, program, path.join(out, String(index)));
    if ("reason" in linked) {
      found.failed.push(linked);
      continue;
    }
    const action = actions.get(linked.link);
    found.owners.set(linked.link, linked.directory);
    if (action !== undefined) found.made.set(action, { output: linked.output, kind: "program" });
    else if (share === "all") found.missing.push({ action: linked.link, of: linked.directory, kind: "program" });
  }
  return found;
}

function damagedOf({ damaged, lost }: CheckedEntries, owners: ReadonlyMap<string, string>): Recompilation["damaged"] {
  return damaged.map((entry) => {
    const id = entry.name.slice(3, -2);
    const actions = entry.name.endsWith("-a") ? [id] : (lost.get(id) ?? []);
    const of = actions.map((action) => owners.get(actionText(action))).find((owner) => owner !== undefined);
    return { ...entry, ...(of === undefined ? {} : { of }) };
  });
}
