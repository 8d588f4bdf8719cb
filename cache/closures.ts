import path from "node:path";
import type { Progress } from "../progress.ts";
import type { Compiled } from "./compile.ts";
import type { GoMounts } from "./go/command.ts";
import type { ListedPackage } from "./go/list.ts";
import { linkPrograms, recordPackages, type Links } from "./link.ts";
import type { BuiltProgram, CacheManifest, ProgramDelivery, ProviderBinary, ProviderClosure } from "./manifest.ts";
import { buildMultiCall } from "./multi-call.ts";
import { BASE_SHARD, type Plan } from "./plan.ts";
import { modulesOf, objectsOf, packagesOf, sourcesOf, type ListedObject, type Listings } from "./program-packages.ts";
import { digestSources, readsOf } from "./program-reads.ts";
import type { Program } from "./programs.ts";
import type { Scratch } from "./scratch.ts";
import { fetchSpareModules, leftByFailed, type SpareModules } from "./spare-modules.ts";
import type { StagedSource } from "./staged-source.ts";
import type { MeasuredTimings } from "./timings.ts";
import type { Portion } from "./warm.ts";

/** What was compiled, and where its builds are recorded. */
export interface Closing {
  readonly plan: Plan;
  readonly portion: Portion;
  readonly compiled: Compiled;
  readonly delivery: ProgramDelivery;
  readonly mounts: GoMounts;
  readonly gocache: string;
  /** The real path of the source, as the listings have it. */
  readonly root: string;
  readonly staged: StagedSource;
  readonly scratch: Scratch;
  readonly progress: Progress;
}

/** What builds of a portion's programs read, and what became of the programs. */
export interface Closures extends Pick<CacheManifest, "closures" | "programs" | "objects" | "spare" | "missing"> {
  /** Programs that compile and, where they are linked, link. */
  readonly sound: readonly Program[];
  /** The first error of each of the others. */
  readonly failed: ReadonlyMap<string, string>;
  readonly binaries?: Binaries;
  readonly measured: MeasuredTimings;
}

interface Binaries {
  /** The folder `binaries` that they stand in. */
  readonly folder: string;
  readonly byProvider: Readonly<Record<string, readonly ProviderBinary[]>>;
}

/** Links and records a portion's programs, fetches what else Pulumi asks Go for, and builds binaries where they are wanted. */
export async function readClosures(closing: Closing): Promise<Closures> {
  const { portion, plan, compiled, delivery, mounts, staged, progress } = closing;
  const source = path.join(staged.root, staged.inside);
  const listings: Listings = { root: closing.root, byGoModule: compiled.listings };
  const compiling = portion.programs.filter(({ directory }) => !compiled.failed.has(directory));
  const links = delivery === "binaries" ? NO_LINKS : await link(closing, compiling, source);
  const sound = compiling.filter(({ directory }) => !links.failed.has(directory));
  const goModules = sound.map(({ goModule }) => goModule);
  const spare = await fetchSpareModules(mounts, plan.goModules, goModules, source, progress);

  const closures = new Map<string, ProviderClosure>();
  const compiledModules = new Set<string>();
  const add = (provider: string, packages: readonly ListedPackage[], more: Omit<ProviderClosure, "sources">) => {
    const modules = modulesOf(packages);
    for (const module of modules) compiledModules.add(module);
    const sources = delivery === "binaries" ? [] : sourcesOf(packages);
    closures.set(provider, { goBuild: union([more.goBuild]), goMod: union([modules, more.goMod]), sources });
  };
  if (portion.id === BASE_SHARD) {
    const entries = delivery === "binaries" ? [] : await recordBase(closing, source);
    add(BASE_SHARD, [...compiled.listings.values()].flat(), { goBuild: entries, goMod: [] });
  }
  for (const [provider, members] of Map.groupBy(sound, (program) => program.provider)) {
    const entries = members.flatMap(({ directory }) => links.linked.get(directory)?.entries ?? []);
    add(provider, packagesOf(listings, members), { goBuild: entries, goMod: requiredBy(closing, members, spare) });
  }
  const goBuild = new Set([...closures.values()].flatMap((closure) => closure.goBuild));
  const compiledObjects = objectsOf(listings);
  const objects = [...compiledObjects].filter(([name]) => goBuild.has(name));
  const goMod = union([...closures.values()].map((closure) => closure.goMod));
  const failed = [...compiled.failed].map(([directory, { reason }]) => [directory, reason] as const);
  const binaries = delivery === "cache" ? undefined : await buildBinaries(closing, sound);
  return {
    closures: record([...closures]),
    sound,
    failed: new Map([...failed, ...links.failed]),
    programs: record(await withReads(links, listings, compiledObjects)),
    objects: record(objects.map(([name, { key }]) => [name, key])),
    spare: goMod.filter((module) => !compiledModules.has(module)),
    ...(spare.missing.size > 0 ? { missing: record([...spare.missing]) } : {}),
    ...(binaries === undefined ? {} : { binaries }),
    measured: measuredOf(links.linked, objects),
  };
}

/** Linked programs with what a build of each reads. */
async function withReads(
  { linked }: Links,
  { root, byGoModule }: Listings,
  objects: ReturnType<typeof objectsOf>,
): Promise<readonly (readonly [string, BuiltProgram])[]> {
  const importPaths = new Map([...byGoModule.values()].flat().map((entry) => [entry.Dir, entry.ImportPath]));
  return Promise.all(
    [...linked].map(async ([directory, { program, entries }]) => {
      const folder = path.join(root, directory);
      const importPath = importPaths.get(folder);
      if (importPath === undefined) return [directory, program] as const;
      const main = { package: importPath, sources: await digestSources(folder) };
      return [directory, { ...program, reads: readsOf(main, entries, objects) }] as const;
    }),
  );
}

const NO_LINKS: Links = { linked: new Map(), failed: new Map() };

async function link(closing: Closing, programs: readonly Program[], source: string): Promise<Links> {
  const { portion, progress } = closing;
  if (programs.length > 0)
    progress.step(`${portion.id}: linking ${programs.length} programs and noting what they read`);
  const gocache = await closing.scratch.bring(closing.gocache);
  return linkPrograms({ ...closing, gocache, programs, source });
}

async function recordBase(closing: Closing, source: string): Promise<readonly string[]> {
  closing.progress.step(`${BASE_SHARD}: noting what it reads`);
  const gocache = await closing.scratch.bring(closing.gocache);
  const entries: string[] = [];
  for (const { goModule, names } of closing.portion.targets) {
    entries.push(...(await recordPackages({ ...closing, gocache, source }, goModule, names)));
  }
  return entries;
}

/** What Pulumi asks Go about before these programs run: what nobody compiles, and what only programs that failed do. */
function requiredBy({ plan, compiled }: Closing, programs: readonly Program[], spare: SpareModules): readonly string[] {
  const goModules = [...new Set(programs.map(({ goModule }) => goModule))];
  const required = new Set(goModules.flatMap((goModule) => plan.goModules[goModule]?.required ?? []));
  const fetched = goModules.flatMap((goModule) => spare.fetched.get(goModule) ?? []);
  return [...fetched, ...leftByFailed(required, compiled.failed)];
}

async function buildBinaries(closing: Closing, sound: readonly Program[]): Promise<Binaries> {
  const { plan, mounts, staged, scratch, progress } = closing;
  const folder = path.join(scratch.folder, "binaries");
  const byProvider: Record<string, readonly ProviderBinary[]> = {};
  for (const [provider, programs] of [...Map.groupBy(sound, (program) => program.provider)].sort()) {
    progress.step(`${provider}: building one binary of ${programs.length} programs`);
    const options = { provider, programs, source: staged, out: folder, among: plan.programs, progress };
    const { binaries } = await buildMultiCall(mounts, options);
    byProvider[provider] = binaries.map(({ file, bytes, names, unproven }) => ({
      ...{ file: `binaries/${file}`, bytes, names },
      ...(unproven === undefined ? {} : { unproven }),
    }));
  }
  return { folder, byProvider };
}

function measuredOf(linked: Links["linked"], objects: readonly (readonly [string, ListedObject])[]): MeasuredTimings {
  const sizes = new Map([...linked.values()].flatMap((program) => [...program.sizes]));
  const seconds = [...linked].flatMap(([directory, { seconds: taken }]) =>
    taken === undefined ? [] : [[directory, Math.round(taken * 1000) / 1000] as const],
  );
  const bytes = objects.flatMap(([name, { importPath }]) => {
    const size = sizes.get(name);
    return size === undefined ? [] : [[importPath, size] as const];
  });
  return { links: record(seconds), bytes: record(bytes) };
}

function union(lists: readonly (readonly string[])[]): readonly string[] {
  return [...new Set(lists.flat())].sort();
}

/** A record whose keys are in order: equal content is written as equal bytes. */
function record<T>(entries: readonly (readonly [string, T])[]): Readonly<Record<string, T>> {
  return Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
}
