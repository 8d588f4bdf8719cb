import { realpath } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { withLock } from "../toolchain/lock.ts";
import { writeCacheDirectory } from "./cache-directory.ts";
import { entriesUsedBy } from "./closure.ts";
import type { GoMounts } from "./go-command.ts";
import { faultOf, goModuleOf, importsOf, listPackages, type ListedPackage } from "./go-list.ts";
import { closureOf, packageArguments } from "./graph.ts";
import type { CacheManifest, ProviderClosure } from "./manifest.ts";
import { BASE_SHARD, type Plan, type Shard } from "./plan.ts";
import type { Program } from "./programs.ts";
import { withStagedSource } from "./staged-source.ts";
import { requireFreeSpace } from "./store.ts";

export interface WarmOptions {
  readonly plan: Plan;
  readonly shard: string;
  readonly source: string;
  /** GOROOT of the plan's Go version. */
  readonly goRoot: string;
  /** Persistent volume with go-mod/ and go-build/: reused between runs, never shipped whole. */
  readonly store: string;
  readonly progress: Progress;
}

/** What one `go list` builds: names, in the directory of their go.mod. */
interface Target {
  readonly cwd: string;
  readonly names: readonly string[];
}

/**
 * Compiles one shard in the store, and writes exactly what its programs read to `out`. A program that does not compile is
 * left out and named in the manifest; the others are warm all the same. Nothing is left at `out` when it throws.
 */
export async function warmShard(options: WarmOptions & { readonly out: string }): Promise<CacheManifest> {
  const { plan, source, store, out, progress } = options;
  const shard = shardOf(plan, options.shard);
  return withLock(path.join(store, "lock"), progress, `the store ${store}`, async () => {
    const failed = await compileShard(options, shard);
    const sound = programsOf(plan, shard).filter((program) => !failed.has(program.directory));

    progress.step(`${shard.id}: collecting what ${shard.id === BASE_SHARD ? "it" : `${sound.length} programs`} read`);
    const mounts = mountsOf(plan, options.goRoot, store);
    const closures = await withStagedSource(source, plan.programs, async ({ root, inside }) => {
      const elsewhere = path.join(root, inside);
      const found: Record<string, ProviderClosure> = {};
      if (shard.id === BASE_SHARD) found[BASE_SHARD] = await readClosure(mounts, baseTargets(plan, shard, elsewhere));
      for (const [provider, members] of Map.groupBy(sound, (program) => program.provider)) {
        found[provider] = await readClosure(mounts, programTargets(members, elsewhere));
      }
      return found;
    });
    const warmed = {
      contract: plan.contract,
      modules: sound.map((program) => program.directory).sort(),
      failed: Object.fromEntries([...failed].sort()),
      closures,
    };
    return writeCacheDirectory(mounts, out, warmed, source, [
      ...new Set(plan.programs.map((program) => program.goModule)),
    ]);
  });
}

/** Compiles one shard in the store without writing it out, for shards whose result only others read from that store. */
export async function compileInStore(options: WarmOptions): Promise<void> {
  const shard = shardOf(options.plan, options.shard);
  await withLock(path.join(options.store, "lock"), options.progress, `the store ${options.store}`, () =>
    compileShard(options, shard),
  );
}

/** A plan's shard. Throws a usage error that lists them when there is none of that id. */
export function shardOf(plan: Plan, id: string): Shard {
  const shard = plan.shards.find((candidate) => candidate.id === id);
  if (shard) return shard;
  throw new KilnError("usage", `the plan has no shard "${id}"`, {
    mend: `Choose one of: ${plan.shards.map((candidate) => candidate.id).join(", ")}.`,
  });
}

/** The mounts under which Go works on the caches of a store or a cache directory. */
export function mountsOf(plan: Plan, goRoot: string, cache: string): GoMounts {
  return {
    contract: plan.contract,
    goRoot,
    goModCache: path.join(cache, "go-mod"),
    goBuildCache: path.join(cache, "go-build"),
  };
}

function programsOf(plan: Plan, shard: Shard): readonly Program[] {
  return plan.programs.filter((program) => shard.programs.includes(program.directory));
}

function programTargets(programs: readonly Program[], source: string): readonly Target[] {
  return [...Map.groupBy(programs, (program) => program.goModule)].map(([goModule, members]) => ({
    cwd: path.join(source, goModule),
    names: packageArguments(members),
  }));
}

/** The base's packages, in each go.mod that may know them: Go leaves out those that it does not. */
function baseTargets(plan: Plan, shard: Shard, source: string): readonly Target[] {
  const names = Object.keys(shard.packages);
  const goModules = new Set(plan.programs.map((program) => program.goModule));
  return [...goModules].map((goModule) => ({ cwd: path.join(source, goModule), names }));
}

/** Compiles the packages of a shard, as one build graph for each go.mod. Gives the programs that failed, by directory. */
async function compileShard(
  { plan, source, goRoot, store, progress }: WarmOptions,
  shard: Shard,
): Promise<ReadonlyMap<string, string>> {
  await requireFreeSpace(store);
  const programs = programsOf(plan, shard);
  const base = shard.id === BASE_SHARD;
  const what = base
    ? `${Object.keys(shard.packages).length} packages that shards share`
    : `${programs.length} programs`;
  progress.step(`${shard.id}: ${what}`);
  const mounts = mountsOf(plan, goRoot, store);
  const onStderrLine = compileMeter(shard, progress);
  const built: ListedPackage[] = [];
  for (const { cwd, names } of base ? baseTargets(plan, shard, source) : programTargets(programs, source)) {
    built.push(...(await listPackages(mounts, names, { cwd, onStderrLine, compile: true })).packages);
  }
  // Go names directories by their real paths.
  return failedPrograms(built, await realpath(source), programs);
}

/** The first line of a compiler's output that is an error, without the `# package` heading. */
export function firstCompilerError(text: string): string {
  const lines = text.split("\n").map((line) => line.trim());
  return lines.find((line) => line !== "" && !line.startsWith("#")) ?? text.trim();
}

/** Programs that do not compile, by directory, with the first error in what they import. */
function failedPrograms(
  built: readonly ListedPackage[],
  source: string,
  programs: readonly Program[],
): ReadonlyMap<string, string> {
  const faults = new Map(
    built.flatMap((entry) => (faultOf(entry) === undefined ? [] : [[entry.ImportPath, faultOf(entry) ?? ""]])),
  );
  const failed = new Map<string, string>();
  if (faults.size === 0) return failed;
  const packages = new Map(built.map((entry) => [entry.ImportPath, { imports: importsOf(entry) }]));
  const byDirectory = new Map(built.map((entry) => [entry.Dir, entry.ImportPath]));
  for (const { directory } of programs) {
    const root = byDirectory.get(path.join(source, directory));
    if (root === undefined) continue;
    const culprit = [...closureOf(packages, [root])].find((name) => faults.has(name));
    if (culprit !== undefined) failed.set(directory, firstCompilerError(faults.get(culprit) ?? ""));
  }
  return failed;
}

/** Reports each package that a build starts on, weighed by the plan's estimate. */
function compileMeter(shard: Shard, progress: Progress): (importPath: string) => void {
  let done = 0;
  let total = shard.cost;
  return (importPath) => {
    const cost = shard.packages[importPath];
    if (cost === undefined && !/^[\w.-]+(\/[\w.~-]+)*$/.test(importPath)) return;
    // A package of the base that was not there yet: it lengthens what is to be done.
    if (cost === undefined) total += 0.1;
    progress.update(`compiling ${importPath}`, (done += cost ?? 0.1), total);
  };
}

/** What builds read: entries as Go marks them, and the Go modules whose packages they import. */
async function readClosure(mounts: GoMounts, targets: readonly Target[]): Promise<ProviderClosure> {
  const goModules = new Set<string>();
  const goBuild = await entriesUsedBy(mounts.goBuildCache, async () => {
    for (const { cwd, names } of targets) {
      const { packages } = await listPackages(mounts, names, { cwd, compile: true });
      for (const goModule of packages.map(goModuleOf)) if (goModule !== undefined) goModules.add(goModule);
    }
  });
  return { goBuild, goMod: [...goModules].sort() };
}
