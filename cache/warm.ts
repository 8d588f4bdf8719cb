import { realpath } from "node:fs/promises";
import path from "node:path";
import { KilnError, messageOf } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { writeCacheDirectory } from "./cache-directory.ts";
import { readClosures } from "./closures.ts";
import { compile, programTargets, type Compilation, type Compiled } from "./compile.ts";
import { readInputsByProvider } from "./explain/listed-build.ts";
import type { GoMounts } from "./go/command.ts";
import { withStore } from "./local-store.ts";
import type { CacheManifest, ProgramDelivery } from "./manifest.ts";
import { BASE_SHARD, type Plan, type Shard } from "./plan.ts";
import { withScratch } from "./scratch.ts";
import type { ServedPackages } from "./served-packages.ts";
import { readGoSums } from "./source-files.ts";
import { withStagedSource } from "./staged-source.ts";
import { requireFreeSpace } from "./store.ts";
import { noteTimings, readTimings, type MeasuredTimings } from "./timings.ts";

export interface WarmOptions {
  readonly plan: Plan;
  readonly source: string;
  /** GOROOT of the plan's Go version. */
  readonly goRoot: string;
  /** Persistent volume with go-mod/ and go-build/: reused between runs, never shipped whole. */
  readonly store: string;
  /** The gocache program of this machine, which records what builds read. */
  readonly gocache: string;
  /** How programs are delivered, where it is not as the plan says. */
  readonly delivery?: ProgramDelivery;
  readonly progress: Progress;
  /** Is told how much of it the store had, once all is compiled. */
  readonly onServed?: (packages: ServedPackages) => void;
}

/** A part of a plan that is warmed in one go. */
export interface Portion extends Compilation {
  /** The shard's id, or what else it is called in front of people. */
  readonly id: string;
}

/** A cache directory that was written, and the wall seconds of each phase. */
export interface WarmedPortion {
  readonly manifest: CacheManifest;
  readonly seconds: { readonly compile: number; readonly link: number; readonly write: number };
}

/**
 * Compiles one shard in the store, links its programs, and writes exactly what their builds read to `out`. A program that
 * does not compile or link is left out and named in the manifest; the others are warm all the same. Nothing is left at
 * `out` when it throws.
 */
export async function warmShard(
  options: WarmOptions & { readonly shard: string; readonly out: string },
): Promise<CacheManifest> {
  const { manifest } = await warmPortion(options, shardPortion(options.plan, options.shard), options.out);
  return manifest;
}

/** Compiles one shard in the store without writing it out, for shards whose result only others read from that store. */
export async function compileInStore(options: WarmOptions & { readonly shard: string }): Promise<void> {
  const portion = shardPortion(options.plan, options.shard);
  await withStore(options.store, options.progress, async () => {
    await requireFreeSpace(options.store);
    await compilePortion(options, portion);
  });
}

/** Warms a part of a plan as `warmShard` does a shard. */
export async function warmPortion(options: WarmOptions, portion: Portion, out: string): Promise<WarmedPortion> {
  const { plan, source, store, progress, delivery = plan.delivery ?? "cache" } = options;
  return withStore(store, progress, async () => {
    await requireFreeSpace(store);
    const clock = stopwatch();
    const compiled = await compilePortion(options, portion);
    options.onServed?.(compiled.served);
    const compiling = clock();

    const mounts = mountsOf(plan, options.goRoot, store);
    const root = await realpath(source);
    return withScratch(mounts, (scratch) =>
      withStagedSource(source, plan.programs, async (staged) => {
        const closing = { ...options, delivery, mounts, portion, compiled, root, staged, scratch };
        const { failed, sound, measured, binaries, ...found } = await readClosures(closing);
        await noteMeasured(options, measured);
        const linking = clock();
        const warmed = {
          ...{ contract: plan.contract, delivery },
          modules: sound.map((program) => program.directory).sort(),
          failed: Object.fromEntries([...failed].sort(([a], [b]) => (a < b ? -1 : 1))),
          ...found,
          ...(binaries === undefined ? {} : { binaries: binaries.byProvider }),
          inputs: await readInputsByProvider(root, source, compiled.listings, sound),
        };
        const known = {
          goSums: await readGoSums(source, plan.programs),
          required: new Set(sound.flatMap(({ goModule }) => plan.goModules[goModule]?.required ?? [])),
        };
        progress.step(`${portion.id}: writing the cache directory`);
        const manifest = await writeCacheDirectory(mounts, out, warmed, known, binaries?.folder);
        return { manifest, seconds: { compile: compiling, link: linking, write: clock() } };
      }),
    );
  });
}

async function compilePortion(options: WarmOptions, portion: Portion): Promise<Compiled> {
  const { plan, source, goRoot, store, progress } = options;
  const packages = `${Object.keys(portion.costs).length} packages that shards share`;
  progress.step(
    `${portion.id}: compiling ${portion.programs.length > 0 ? `${portion.programs.length} programs` : packages}`,
  );
  const { bytes: archives } = (await readTimings(store)) ?? {};
  const work = { ...portion, ...(archives === undefined ? {} : { archives }) };
  const compiled = await compile(mountsOf(plan, goRoot, store), source, work, progress);
  await noteMeasured(options, { seconds: compiled.seconds });
  return compiled;
}

/** Keeps what was measured beside the store, whose surroundings may be read-only: it only serves estimates. */
async function noteMeasured({ store, progress }: WarmOptions, measured: MeasuredTimings): Promise<void> {
  // Sizes are known of all that was read: without anything that was compiled or linked they are known already.
  if ([measured.seconds, measured.links].every((values) => Object.keys(values ?? {}).length === 0)) return;
  await noteTimings(store, measured).catch((error: unknown) => {
    progress.note(`timings are not kept in ${store}: ${messageOf(error)}`);
  });
}

/** A plan's shard as a portion. */
function shardPortion(plan: Plan, id: string): Portion {
  const shard = shardOf(plan, id);
  // In the plan's order, longest first: its prediction holds for that one.
  const byDirectory = new Map(plan.programs.map((program) => [program.directory, program]));
  const programs = shard.programs.flatMap((directory) => byDirectory.get(directory) ?? []);
  const targets = id === BASE_SHARD ? baseTargets(plan, shard) : programTargets(programs);
  return { id, programs, targets, costs: shard.packages };
}

/** A plan's shard. Throws a usage error that lists them when there is none of that id. */
export function shardOf(plan: Plan, id: string): Shard {
  const shard = plan.shards.find((candidate) => candidate.id === id);
  if (shard) return shard;
  throw new KilnError("usage", `the plan has no shard "${id}"`, {
    mend: `Choose one of: ${plan.shards.map((candidate) => candidate.id).join(", ")}.`,
  });
}

/** The base's packages, in each go.mod that may know them: Go leaves out those that it does not. */
function baseTargets(plan: Plan, shard: Shard): Portion["targets"] {
  const names = Object.keys(shard.packages);
  const sound = plan.programs.filter(({ directory }) => plan.faults[directory] === undefined);
  return [...new Set(sound.map((program) => program.goModule))].map((goModule) => ({ goModule, names }));
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

/** Seconds since it was called before, at first since it was made. */
function stopwatch(): () => number {
  let since = performance.now();
  return () => {
    const [before, now] = [since, performance.now()];
    since = now;
    return (now - before) / 1000;
  };
}
