import path from "node:path";
import type { Progress } from "../progress.ts";
import type { RegistryClient } from "../registry/client.ts";
import { parseReference, registryHost } from "../registry/image-reference.ts";
import { isLoopback, warmRepository } from "../registry/repository-names.ts";
import { readStackSettings, writeWarmImage } from "../release/stack-file.ts";
import { stackReuse } from "../release/supply/stack-reuse.ts";
import type { PluginMode } from "../settings/image.ts";
import type { Settings } from "../settings.ts";
import { readyBaseImage } from "../toolchain/base-image.ts";
import { engineEnvironment, readyEngine, type Engine } from "../toolchain/docker-engine.ts";
import { loopbackRefusal, readEngineKind } from "../toolchain/engine-kind.ts";
import { throwIfRefused } from "../toolchain/finding.ts";
import { gocacheKey } from "../toolchain/gocache-program.ts";
import { startRegistry } from "../toolchain/loopback-registry.ts";
import { requireSoundMachine } from "../toolchain/machine.ts";
import { toolVersions } from "../toolchain/pins.ts";
import type { Places } from "../toolchain/places.ts";
import { howItRuns, platformRefusal } from "../toolchain/platforms.ts";
import { resolveTools } from "../toolchain/resolve.ts";
import { bake, type Bake, type BakeOptions } from "./bake.ts";
import { buildContract } from "./contract.ts";
import { readyDatedGoRoot } from "./dated-go-root.ts";
import type { Plan } from "./plan.ts";
import type { ProgramDelivery } from "./program-delivery.ts";
import type { Reuse } from "./reuse.ts";
import { readShardImages, shardTags } from "./shard-image.ts";
import type { StoreLayout } from "./store-layout.ts";
import { parseStoreSource } from "./store-source.ts";

/** A machine on which images can be baked: Go that compiles here, an engine that answers, a registry client. */
export interface Bakery {
  readonly goRoot: string;
  readonly engine: Engine;
  readonly client: RegistryClient;
}

/** Makes this machine ready to bake. Installs what is missing. */
export async function readyBakery(places: Places, progress: Progress): Promise<Bakery> {
  await requireSoundMachine(places);
  const { go, regctl } = await resolveTools(["go", "regctl"], { places, progress });
  const goRoot = await readyDatedGoRoot({ places, goRoot: go.root, progress });
  return { goRoot, engine: await readyEngine({ places, progress }), client: { regctl: regctl.path } };
}

/** The same for a stack, whose registry is started where it is a loopback one. */
export async function readyStackBakery(places: Places, settings: Settings, progress: Progress): Promise<Bakery> {
  const bakery = await readyBakery(places, progress);
  const host = registryHost(settings.registry);
  if (!isLoopback(host)) return bakery;
  await requireLoopback(bakery.engine);
  await startRegistry({ places, address: host, progress });
  return bakery;
}

/** Throws where an engine cannot push to this machine's loopback; kiln's own always can. */
async function requireLoopback(engine: Engine): Promise<void> {
  if (engine.managed) return;
  const env = engineEnvironment(engine);
  const kind = await readEngineKind(engine.docker, env);
  throwIfRefused(kind && (await loopbackRefusal(engine.docker, env, kind)));
}

/** How a bake is done here: nothing of it decides what comes out. */
export interface BakeWork {
  readonly allowFailed: readonly string[];
  /** The persistent volume to compile in; that of the work folder by default. */
  readonly store?: string | undefined;
  /** Warm images, and cache directories by their paths, that the store is filled from before anything is compiled. */
  readonly from?: readonly string[];
  /** A plan whose shards `cache shard` pushed to the repository: the store is filled from them too. */
  readonly shards?: Plan | undefined;
}

export interface BakeTarget extends BakeWork {
  readonly source: string;
  readonly pattern: string;
  readonly repository: string;
  readonly platform: string;
  readonly baseReference: string;
  /** Build tags, which the image has in GOFLAGS. */
  readonly tags?: readonly string[];
  readonly plugins?: PluginMode;
  readonly providers?: readonly string[];
  readonly layout: StoreLayout;
  readonly delivery: ProgramDelivery;
  readonly reuse?: Reuse | undefined;
}

/** What a stack's file says is to be baked for it. */
export function bakeTarget(places: Places, settings: Settings, work: BakeWork): BakeTarget {
  return {
    source: path.resolve(places.project, settings.source.path),
    pattern: settings.source.modules,
    repository: warmRepository(settings.registry),
    platform: settings.image.platform,
    baseReference: settings.image.base,
    tags: settings.source.tags,
    ...work,
    plugins: settings.image.plugins,
    layout: settings.image.store,
    delivery: settings.image.programs,
  };
}

/** Bakes for a stack and writes the digest into its file, which is left alone when the bake fails. */
export async function bakeForStack(places: Places, stack: string, work: BakeWork, progress: Progress): Promise<Bake> {
  const settings = await readStackSettings(places.project, stack);
  // What is wrong in the settings is said before this machine is made ready.
  const target = bakeTarget(places, settings, work);
  const bakery = await readyStackBakery(places, settings, progress);
  return bakeIntoStack(places, { stack, settings, target }, bakery, progress);
}

/** The same on a machine that is ready. It takes from the registry only what the stack lets it take. */
export async function bakeIntoStack(
  places: Places,
  { stack, settings, target }: { readonly stack: string; readonly settings: Settings; readonly target: BakeTarget },
  bakery: Bakery,
  progress: Progress,
): Promise<Bake> {
  const reuse = stackReuse(settings, { places, client: bakery.client, progress });
  const baked = await bakeTo(places, { ...target, reuse }, bakery, progress);
  await writeWarmImage(places.project, stack, baked.warmImage);
  return baked;
}

/**
 * Bakes to a repository without touching any stack. Packages are compiled here for whatever platform; the image is built
 * and verified on the engine, which must run that platform, natively or by emulation.
 */
export async function bakeTo(places: Places, target: BakeTarget, bakery: Bakery, progress: Progress): Promise<Bake> {
  const { engine } = bakery;
  const { platform } = target;
  parseReference(target.repository);
  const from = await storeSources(target, bakery.client);
  const kind = await readEngineKind(engine.docker, engineEnvironment(engine));
  throwIfRefused(kind && (await platformRefusal(platform, kind)));
  const forImage = { places, progress, platform: platform.replace("/", "-") };
  return bake({
    ...target,
    ...bakery,
    from,
    tools: await resolveTools(["go", "pulumi", "opentofu"], forImage),
    places,
    contract: buildContract(toolVersions, platform.replace(/^.*\//, ""), target.tags),
    emulated: kind !== undefined && (await howItRuns(platform, kind)) === "emulated",
    base: () => readyBaseImage({ engine, reference: target.baseReference, platform, progress, places }),
    progress,
  });
}

/**
 * What a bake's store is filled from: the shards of a plan, the base first, and what is named besides. What is named wrong throws
 * at once; shards are looked for when they are needed.
 */
async function storeSources(target: BakeTarget, client: RegistryClient): Promise<BakeOptions["from"]> {
  const { shards, source, repository, reuse } = target;
  const named = await Promise.all((target.from ?? []).map(parseStoreSource));
  return async () => {
    if (shards === undefined) return named;
    const tags = await shardTags(shards, source, await gocacheKey(shards.contract.goVersion));
    const images = await readShardImages(client, repository, tags, reuse);
    return [...images.map((image) => ({ kind: "image" as const, image })), ...named];
  };
}
