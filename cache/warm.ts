import { readFile, realpath } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { withLock } from "../toolchain/lock.ts";
import { entriesUsedBy, modulesOfGoSum } from "./closure.ts";
import { runGo, type GoMounts } from "./go-command.ts";
import { closureOf, packageArguments, parseJsonStream, type Package } from "./graph.ts";
import { MANIFEST_FILE, writeJson, type CacheManifest, type ProviderClosure } from "./manifest.ts";
import { BASE_SHARD, type Plan, type Shard } from "./plan.ts";
import type { Program } from "./programs.ts";
import {
  directoryBytes,
  exportEntries,
  linkFiles,
  readModuleMetadata,
  readModuleTree,
  replaceDirectory,
  requireFreeSpace,
} from "./store.ts";

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

/** Import paths that did not compile, with the first line that the compiler said of each. */
type CompileErrors = ReadonlyMap<string, string>;

/**
 * Compiles one shard in the store, and writes exactly what its programs read to `out`. A program that does not compile is
 * left out and named in the manifest; the others are warm all the same. Nothing is left at `out` when it throws.
 */
export async function warmShard(options: WarmOptions & { readonly out: string }): Promise<CacheManifest> {
  const { plan, source, store, out, progress } = options;
  const shard = shardOf(plan, options.shard);
  return withLock(path.join(store, "lock"), progress, `the store ${store}`, async () => {
    const compiled = await compileShard(options, shard);
    const programs = plan.programs.filter((program) => shard.programs.includes(program.directory));
    const sound = programs.filter((program) => !compiled.failed.has(program.directory));

    progress.step(`${shard.id}: collecting what ${sound.length} programs read`);
    const closures: Record<string, ProviderClosure> = {};
    const mounts = mountsOf(plan, options.goRoot, store);
    for (const [provider, members] of Map.groupBy(sound, (program) => program.provider)) {
      closures[provider] = await readClosure(mounts, source, members);
    }
    if (shard.id === BASE_SHARD) closures[BASE_SHARD] = await readBaseClosure(mounts, source, plan, shard);

    const manifest = await exportClosures(mounts, source, out, {
      plan,
      modules: sound.map((program) => program.directory).sort(),
      failed: Object.fromEntries([...compiled.failed].sort()),
      closures,
    });
    return manifest;
  });
}

/** Compiles one shard in the store without writing it out, for shards whose result only others read from that store. */
export async function compileInStore(options: WarmOptions): Promise<void> {
  const shard = shardOf(options.plan, options.shard);
  await withLock(path.join(options.store, "lock"), options.progress, `the store ${options.store}`, () =>
    compileShard(options, shard),
  );
}

export function shardOf(plan: Plan, id: string): Shard {
  const shard = plan.shards.find((candidate) => candidate.id === id);
  if (shard) return shard;
  throw new KilnError("usage", `the plan has no shard "${id}"`, {
    mend: `Choose one of: ${plan.shards.map((candidate) => candidate.id).join(", ")}.`,
  });
}

export function mountsOf(plan: Plan, goRoot: string, cache: string): GoMounts {
  return {
    contract: plan.contract,
    goRoot,
    goModCache: path.join(cache, "go-mod"),
    goBuildCache: path.join(cache, "go-build"),
  };
}

/**
 * Compiles the packages of a shard as one build graph for each go.mod: `go list -export` runs the compile actions of
 * `go build` and no link, which no cache keeps. Gives the programs that failed, by directory.
 */
async function compileShard(
  { plan, source, goRoot, store, progress }: WarmOptions,
  shard: Shard,
): Promise<{ failed: ReadonlyMap<string, string> }> {
  await requireFreeSpace(store);
  const mounts = mountsOf(plan, goRoot, store);
  const base = shard.id === BASE_SHARD;
  const members = plan.programs.filter((program) => (base ? true : shard.programs.includes(program.directory)));
  const failed = new Map<string, string>();
  const meter = compileMeter(shard, progress);
  for (const [goModule, programs] of Map.groupBy(members, (program) => program.goModule)) {
    const names = base ? Object.keys(shard.packages) : packageArguments(programs);
    progress.step(
      base ? `${shard.id}: ${names.length} packages that shards share` : `${shard.id}: ${programs.length} programs`,
    );
    const built = await listExports(mounts, path.join(source, goModule), names, meter);
    if (base) continue;
    // Go names directories by their real paths.
    const root = await realpath(source);
    for (const [directory, error] of failedPrograms(built, root, programs)) failed.set(directory, error);
  }
  return { failed };
}

interface Built {
  readonly packages: ReadonlyMap<string, Package>;
  readonly errors: CompileErrors;
  readonly directories: ReadonlyMap<string, string>;
}

interface ListedExport {
  readonly ImportPath: string;
  readonly Dir?: string;
  readonly Imports?: readonly string[];
  readonly ImportMap?: Readonly<Record<string, string>>;
  readonly Module?: {
    readonly Path: string;
    readonly Version?: string;
    readonly Replace?: { Path: string; Version?: string };
  };
  readonly Error?: { readonly Err: string };
  readonly DepsErrors?: readonly { readonly Err: string }[];
}

const EXPORT_FIELDS = "ImportPath,Dir,Imports,ImportMap,Module,Error,DepsErrors";

async function listExports(
  mounts: GoMounts,
  cwd: string,
  names: readonly string[],
  onPackage: (importPath: string) => void = () => undefined,
): Promise<Built> {
  const { stdout } = await runGo(
    mounts,
    ["list", "-v", "-e", "-export", "-deps", ...mounts.contract.flags, `-json=${EXPORT_FIELDS}`, ...names],
    { cwd, onStderrLine: onPackage },
  );
  const packages = new Map<string, Package>();
  const errors = new Map<string, string>();
  const directories = new Map<string, string>();
  for (const entry of parseJsonStream<ListedExport>(stdout)) {
    const module = entry.Module?.Replace ?? entry.Module;
    packages.set(entry.ImportPath, {
      importPath: entry.ImportPath,
      standard: false,
      main: false,
      ...(module?.Version === undefined ? {} : { goModule: `${module.Path}@${module.Version}` }),
      imports: (entry.Imports ?? []).map((name) => entry.ImportMap?.[name] ?? name),
      sourceBytes: 0,
    });
    if (entry.Dir !== undefined) directories.set(entry.Dir, entry.ImportPath);
    const error = entry.Error?.Err ?? entry.DepsErrors?.[0]?.Err;
    if (error !== undefined) errors.set(entry.ImportPath, firstCompilerError(error));
  }
  return { packages, errors, directories };
}

/** The first line of a compiler's output that is an error, without the `# package` heading. */
export function firstCompilerError(text: string): string {
  const lines = text.split("\n").map((line) => line.trim());
  return lines.find((line) => line !== "" && !line.startsWith("#")) ?? text.trim();
}

function failedPrograms(built: Built, source: string, programs: readonly Program[]): ReadonlyMap<string, string> {
  const failed = new Map<string, string>();
  if (built.errors.size === 0) return failed;
  for (const program of programs) {
    const root = built.directories.get(path.join(source, program.directory));
    if (root === undefined) continue;
    const culprit = [...closureOf(built.packages, [root])].find((name) => built.errors.has(name));
    if (culprit !== undefined) failed.set(program.directory, built.errors.get(culprit) ?? "");
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

/** What the programs of one provider read: entries as Go marks them, and the Go modules whose packages they import. */
async function readClosure(mounts: GoMounts, source: string, programs: readonly Program[]): Promise<ProviderClosure> {
  const goModules = new Set<string>();
  const goBuild = await entriesUsedBy(mounts.goBuildCache, async () => {
    for (const [goModule, members] of Map.groupBy(programs, (program) => program.goModule)) {
      const built = await listExports(mounts, path.join(source, goModule), packageArguments(members));
      for (const pkg of built.packages.values()) if (pkg.goModule !== undefined) goModules.add(pkg.goModule);
    }
  });
  return { goBuild, goMod: [...goModules].sort() };
}

async function readBaseClosure(mounts: GoMounts, source: string, plan: Plan, shard: Shard): Promise<ProviderClosure> {
  const goModules = new Set<string>();
  const goBuild = await entriesUsedBy(mounts.goBuildCache, async () => {
    for (const goModule of new Set(plan.programs.map((program) => program.goModule))) {
      const built = await listExports(mounts, path.join(source, goModule), Object.keys(shard.packages));
      for (const pkg of built.packages.values()) if (pkg.goModule !== undefined) goModules.add(pkg.goModule);
    }
  });
  return { goBuild, goMod: [...goModules].sort() };
}

async function exportClosures(
  mounts: GoMounts,
  source: string,
  out: string,
  found: {
    readonly plan: Plan;
    readonly modules: readonly string[];
    readonly failed: Readonly<Record<string, string>>;
    readonly closures: Readonly<Record<string, ProviderClosure>>;
  },
): Promise<CacheManifest> {
  const goBuild = [...new Set(Object.values(found.closures).flatMap((closure) => closure.goBuild))].sort();
  const goMod = [...new Set(Object.values(found.closures).flatMap((closure) => closure.goMod))].sort();
  const goModMetadata = [...new Set([...goMod, ...(await readGoSums(source, found.plan))])].sort();

  let manifest: CacheManifest | undefined;
  await replaceDirectory(out, async (partial) => {
    await exportEntries(mounts.goBuildCache, path.join(partial, "go-build"), goBuild);
    for (const module of goMod) {
      const names = await readModuleTree(mounts.goModCache, module);
      await linkFiles(mounts.goModCache, path.join(partial, "go-mod"), names);
    }
    for (const module of goModMetadata) {
      const names = await readModuleMetadata(mounts.goModCache, module);
      await linkFiles(mounts.goModCache, path.join(partial, "go-mod"), names);
    }
    manifest = {
      version: 1,
      contract: found.plan.contract,
      modules: found.modules,
      failed: found.failed,
      closures: found.closures,
      goModMetadata,
      counts: { goBuildEntries: goBuild.length, goModules: goMod.length, bytes: await directoryBytes(partial) },
    };
    await writeJson(path.join(partial, MANIFEST_FILE), manifest);
  });
  if (!manifest) throw new KilnError("failed", `nothing was written to ${out}`);
  return manifest;
}

/** The modules that the go.sum files of a plan's programs name: every go.mod that their builds may read. */
async function readGoSums(source: string, plan: Plan): Promise<readonly string[]> {
  const modules: string[] = [];
  for (const goModule of new Set(plan.programs.map((program) => program.goModule))) {
    const text = await readFile(path.join(source, goModule, "go.sum"), "utf8").catch(() => "");
    modules.push(...modulesOfGoSum(text));
  }
  return modules;
}
