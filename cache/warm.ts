import { realpath } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { writeCacheDirectory } from "./cache-directory.ts";
import { entriesUsedBy } from "./closure.ts";
import type { GoMounts } from "./go/command.ts";
import { listingFault, withoutUserInfo } from "./go/fault.ts";
import { fetchPackages, requireReached, type FetchedListing } from "./go/fetch.ts";
import { downloadModules, faultOf, goModuleOf, listPackages, listRequiredModules } from "./go/list.ts";
import { needsOf, packageArguments } from "./graph.ts";
import { mountedGo, readInputsByProvider } from "./explain/listed-build.ts";
import { withStore } from "./local-store.ts";
import type { CacheManifest, ProviderClosure } from "./manifest.ts";
import { BASE_SHARD, type Plan, type Shard } from "./plan.ts";
import type { Program } from "./programs.ts";
import { PackageTally, type ServedPackages } from "./served-packages.ts";
import { readGoSums } from "./source-files.ts";
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
  /** Is told how much of it the store had, once all is compiled. */
  readonly onServed?: (packages: ServedPackages) => void;
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
  return withStore(store, progress, async () => {
    await requireFreeSpace(store);
    const { failed, served } = await compileShard(options, shard);
    options.onServed?.(served);
    const sound = programsOf(plan, shard).filter((program) => !failed.has(program.directory));

    progress.step(`${shard.id}: collecting what ${shard.id === BASE_SHARD ? "it" : `${sound.length} programs`} read`);
    const mounts = mountsOf(plan, options.goRoot, store);
    const missing: Record<string, string> = {};
    const closures = await withStagedSource(source, plan.programs, async ({ root, inside }) => {
      const elsewhere = path.join(root, inside);
      const found: Record<string, ProviderClosure> = {};
      if (shard.id === BASE_SHARD) found[BASE_SHARD] = await readClosure(mounts, baseTargets(plan, shard, elsewhere));
      for (const [provider, members] of Map.groupBy(sound, (program) => program.provider)) {
        const read = await readClosure(mounts, programTargets(members, elsewhere));
        const spare = await fetchSpare(mounts, plan, members, elsewhere, progress);
        for (const [module, reason] of spare.missing) missing[module] = withoutUserInfo(reason);
        const left = leftByFailed(plan, members, failed);
        found[provider] = { ...read, goMod: [...new Set([...read.goMod, ...spare.fetched, ...left])].sort() };
      }
      return found;
    });
    const warmed = {
      contract: plan.contract,
      modules: sound.map((program) => program.directory).sort(),
      failed: Object.fromEntries([...failed].sort().map(([directory, { reason }]) => [directory, reason] as const)),
      closures,
      ...(Object.keys(missing).length > 0 ? { missing } : {}),
      inputs: await readInputsByProvider(await mountedGo(mounts, source), plan.contract.flags, source, sound),
    };
    return writeCacheDirectory(mounts, out, warmed, {
      goSums: await readGoSums(source, plan.programs),
      required: new Set(sound.flatMap(({ goModule }) => plan.goModules[goModule]?.required ?? [])),
    });
  });
}

/** Compiles one shard in the store without writing it out, for shards whose result only others read from that store. */
export async function compileInStore(options: WarmOptions): Promise<void> {
  const shard = shardOf(options.plan, options.shard);
  await withStore(options.store, options.progress, async () => {
    await requireFreeSpace(options.store);
    await compileShard(options, shard);
  });
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
export function mountsOf(plan: Pick<Plan, "contract">, goRoot: string, cache: string): GoMounts {
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
  const sound = plan.programs.filter(({ directory }) => plan.faults[directory] === undefined);
  const goModules = new Set(sound.map((program) => program.goModule));
  return [...goModules].map((goModule) => ({ cwd: path.join(source, goModule), names }));
}

/** A program that does not compile. */
interface FailedProgram {
  readonly reason: string;
  /** The Go modules of what it imports, `path@version`. */
  readonly goModules: readonly string[];
}

/** Compiles the packages of a shard, as one build graph for each go.mod. Throws where a module cannot be fetched (any more). */
async function compileShard(
  { plan, source, goRoot, store, progress }: WarmOptions,
  shard: Shard,
): Promise<{ readonly failed: ReadonlyMap<string, FailedProgram>; readonly served: ServedPackages }> {
  const programs = programsOf(plan, shard);
  const base = shard.id === BASE_SHARD;
  const what = base
    ? `${Object.keys(shard.packages).length} packages that shards share`
    : `${programs.length} programs`;
  progress.step(`${shard.id}: ${what}`);
  const mounts = mountsOf(plan, goRoot, store);
  const onCompiled = compileMeter(shard, progress);
  const tally = new PackageTally();
  const failed = new Map<string, FailedProgram>();
  // Go names directories by their real paths.
  const root = await realpath(source);
  const fetching = { progress, compile: true, allowFailure: true };
  for (const { cwd, names } of base ? baseTargets(plan, shard, source) : programTargets(programs, source)) {
    requireReached((await fetchPackages(mounts, names, { cwd, progress, allowFailure: true })).unreached);
    const lines = new Set<string>();
    const onStderrLine = (line: string) => {
      lines.add(line);
      onCompiled(line);
    };
    const listed = await fetchPackages(mounts, names, { cwd, ...fetching, onStderrLine });
    requireReached(listed.unreached);
    tally.add(listed.packages, lines);
    const members = programs.filter(({ goModule }) => path.join(source, goModule) === cwd);
    const goMod = path.join(path.relative(source, cwd), "go.mod");
    const found =
      listed.code === 0
        ? failedPrograms(listed, root, members)
        : members.map(({ directory }) => [directory, { reason: listingFault(listed, goMod), goModules: [] }] as const);
    for (const [directory, failure] of found) {
      if (failure.reason.includes("no space left on device")) throw outOfSpace(store, failure.reason);
      failed.set(directory, failure);
    }
  }
  return { failed, served: tally.counts };
}

function outOfSpace(store: string, reason: string): KilnError {
  return new KilnError("failed", `the store ${store} or the folder for temporary files is full: ${reason}`, {
    mend: "Free space (`npx kiln down`, `docker system prune`), or point --store and TMPDIR at a larger disk. What is compiled is kept.",
  });
}

/** Attempts at modules that no build reads: one that stays away makes every bake of these inputs a new one. */
const SPARE_ATTEMPTS = 3;

/**
 * Fetches what the go.mod files of programs require and no program compiles, with the version data of all that they require:
 * Pulumi asks Go for both before it runs a program. What cannot be had is noted, and is no failure: no build reads it.
 */
async function fetchSpare(
  mounts: GoMounts,
  plan: Plan,
  programs: readonly Program[],
  source: string,
  progress: Progress,
): Promise<{ readonly fetched: readonly string[]; readonly missing: ReadonlyMap<string, string> }> {
  const fetched = new Set<string>();
  const missing = new Map<string, string>();
  for (const goModule of new Set(programs.map((program) => program.goModule))) {
    const { spare = [] } = plan.goModules[goModule] ?? {};
    const cwd = path.join(source, goModule);
    await listRequiredModules(mounts, cwd);
    let missed: ReadonlyMap<string, string> = new Map(spare.map((module) => [module, ""]));
    for (let attempt = 0; attempt < SPARE_ATTEMPTS && missed.size > 0; attempt += 1) {
      missed = await downloadModules(mounts, [...missed.keys()], { cwd });
    }
    for (const module of spare.filter((name) => !missed.has(name))) fetched.add(module);
    for (const [module, reason] of missed) {
      missing.set(module, reason);
      progress.note(`${module} is left out, Pulumi will look for it: ${withoutUserInfo(reason)}`);
    }
  }
  return { fetched: [...fetched], missing };
}

/** What only programs that failed import of what the go.mod files of `programs` require: Pulumi asks Go for it all the same. */
function leftByFailed(
  plan: Plan,
  programs: readonly Program[],
  failed: ReadonlyMap<string, FailedProgram>,
): readonly string[] {
  const required = new Set(programs.flatMap(({ goModule }) => plan.goModules[goModule]?.required ?? []));
  return [...failed.values()].flatMap(({ goModules }) => goModules).filter((module) => required.has(module));
}

/** The first line of a compiler's output that is an error, without the `# package` heading. */
export function firstCompilerError(text: string): string {
  const lines = text.split("\n").map((line) => line.trim());
  return lines.find((line) => line !== "" && !line.startsWith("#")) ?? text.trim();
}

/** Programs that do not compile, by directory, with the first error in what they import. */
function failedPrograms(
  { packages: built }: FetchedListing,
  source: string,
  programs: readonly Program[],
): ReadonlyMap<string, FailedProgram> {
  const neededBy = needsOf(built);
  const byDirectory = new Map(built.map((entry) => [entry.Dir, entry]));
  const failed = new Map<string, FailedProgram>();
  for (const { directory } of programs) {
    const entry = byDirectory.get(path.join(source, directory));
    if (entry === undefined) continue;
    const needed = neededBy(entry);
    const fault = faultOf(needed.find((candidate) => candidate.Error !== undefined) ?? entry);
    const goModules = needed.flatMap((candidate) => goModuleOf(candidate) ?? []);
    if (fault !== undefined) failed.set(directory, { reason: withoutUserInfo(firstCompilerError(fault)), goModules });
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
