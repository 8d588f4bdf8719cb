import { mkdir } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { composeInRegistry } from "../registry/compose.ts";
import { pushManifest, readDigest, readImageManifest, type RegistryClient } from "../registry/client.ts";
import { formatReference, type ImageReference } from "../registry/image-reference.ts";
import type { PluginMode } from "../settings.ts";
import type { BaseImage } from "../toolchain/base-image.ts";
import { engineEnvironment, type Engine } from "../toolchain/docker-engine.ts";
import { withLock } from "../toolchain/lock.ts";
import type { Places } from "../toolchain/places.ts";
import { removeFolder } from "../toolchain/remove-folder.ts";
import { baseRecipe, readyWarmBase, type ImageTools } from "./base.ts";
import { CONTRACT_LABEL, MODULES_LABEL, type BuildContract } from "./contract.ts";
import { inputsKey } from "./inputs.ts";
import type { CacheManifest } from "./manifest.ts";
import type { Plan } from "./plan.ts";
import { makePlan, requireNoFailures } from "./planning.ts";
import { pushPlugins, readPluginBake, type PluginLayers } from "./plugins/bake.ts";
import { verifyPlugins } from "./plugins/check.ts";
import { readPrograms } from "./programs.ts";
import { pushLayers } from "./push-layers.ts";
import { pushVerification, readRecord } from "./record.ts";
import { verifyImage, type Verification } from "./verify.ts";
import { warmPlan } from "./warm-plan.ts";

export interface BakeOptions {
  readonly places: Places;
  readonly engine: Engine;
  readonly client: RegistryClient;
  /** GOROOT of the Go that compiles here; the one that goes into the image may be another platform's. */
  readonly goRoot: string;
  readonly tools: ImageTools;
  readonly source: string;
  readonly pattern: string;
  readonly allowFailed: readonly string[];
  readonly contract: BuildContract;
  /** What becomes of Pulumi's plugins; without it nothing is baked of them. */
  readonly plugins?: PluginMode;
  /** Names the base image for the key; `base` makes it when it is needed. */
  readonly baseReference: string;
  readonly base: () => Promise<BaseImage>;
  /** Where the warm image, its layers and its base are pushed. */
  readonly repository: string;
  readonly platform: string;
  /** Whether the engine runs that platform's programs under emulation: the record says so. */
  readonly emulated?: boolean;
  readonly progress: Progress;
}

/** A layer of a warm image: bytes as they travel, and of the files inside where it was written in this run. */
export interface BakedLayer {
  readonly name: string;
  readonly digest: string;
  readonly size: number;
  readonly contentBytes?: number;
}

export interface Bake {
  /** `repository@sha256:…` of the warm image. */
  readonly warmImage: string;
  /** Whether an image of the same inputs was there already, so that nothing was done. */
  readonly reused: boolean;
  readonly layers: readonly BakedLayer[];
  readonly verification?: Verification;
  /** Wall seconds of each phase. */
  readonly seconds: Readonly<Record<string, number>>;
}

/**
 * Bakes a warm image here: plan, warm, merge, layers, compose, verify inside the image; its tag `inputs-<key>` appears
 * only after it passed. An image of the same inputs is found again by that tag, whatever became of the work folder.
 */
export function bake(options: BakeOptions): Promise<Bake> {
  const lock = path.join(options.places.work, "bake.lock");
  return withLock(lock, options.progress, "another bake of this checkout", () => bakeAlone(options));
}

async function bakeAlone(options: BakeOptions): Promise<Bake> {
  const { places, client, repository, contract, source, progress } = options;
  const { programs } = await readPrograms(source, options.pattern);
  const recipe = await baseRecipe(places, options.tools, options.baseReference);
  const pluginBake = await readPluginBake(places, options.plugins ?? "none", options.platform);
  const inputs = [...recipe, options.platform, ...options.allowFailed, ...pluginBake.recipe];
  const key = await inputsKey(source, programs, contract, inputs);
  const tag = `inputs-${key.slice(0, 32)}`;
  const known = await readDigest(client, { repository, tag });
  if (known !== undefined && (await readRecord(client, { repository, digest: known })).record !== undefined) {
    const manifest = await readImageManifest(client, { repository, digest: known });
    const layers = manifest.layers.map(({ digest, size }, index) => ({ name: `layer ${index + 1}`, digest, size }));
    return { warmImage: `${repository}@${known}`, reused: true, layers, seconds: {} };
  }

  const clock = stopwatch();
  const work = path.join(places.work, "bake");
  await mkdir(work, { recursive: true });
  const scratch = path.join(work, "layers");
  const need = { ...options, programs, store: path.join(places.work, "store") };
  const plugins = await clock("plugins", () => pushPlugins(pluginBake, { ...need, scratch }));
  const base = await clock("base image", () => readyWarmBase({ ...options, recipe }));
  const { plan, manifest, cache } = await warmAll(options, work, clock);
  requireNoFailures({ ...plan.faults, ...manifest.failed }, plan.allowFailed);

  progress.step("writing and pushing layers");
  const caches = await clock("layers", () => pushLayers({ ...options, cache, manifest, scratch }));
  const layers = [...plugins.layers, ...caches];
  const digest = await clock("compose", () =>
    composeInRegistry(client, {
      base,
      layers: layers.map((layer) => ({ repository, digest: layer.image })),
      to: { repository },
      platform: options.platform,
      settings: {
        labels: { ...warmLabels(contract, manifest), ...plugins.labels },
        // Build tags: what the contract has in GOFLAGS, the image must have as well.
        environment: contract.environment.GOFLAGS === undefined ? {} : { GOFLAGS: contract.environment.GOFLAGS },
      },
    }),
  );
  const warmImage = `${repository}@${digest}`;
  const verification = await clock("verify", () => verifyWarmImage(options, warmImage, plan, manifest, plugins));
  await pushVerification(client, { repository, digest }, contract, verification, options.emulated);
  // An image that lacks what Pulumi will look for is verified, but the next bake tries again.
  if (manifest.missing === undefined) await tagImage(client, { repository, digest }, tag);
  await removeFolder(work);
  return { warmImage, reused: false, layers, verification, seconds: clock.seconds };
}

/** Labels by which a warm image says what it is warm for. */
function warmLabels(contract: BuildContract, manifest: CacheManifest): Readonly<Record<string, string>> {
  return {
    [CONTRACT_LABEL]: JSON.stringify(contract),
    [MODULES_LABEL]: manifest.modules.join(","),
  };
}

async function warmAll(
  options: BakeOptions,
  work: string,
  clock: Clock,
): Promise<{ readonly plan: Plan; readonly manifest: CacheManifest; readonly cache: string }> {
  const { source, goRoot, progress } = options;
  const store = path.join(options.places.work, "store");
  const plan = await clock("plan", () => makePlan({ ...options, division: { by: "provider" }, store }));
  const [shards, cache] = [path.join(work, "shards"), path.join(work, "cache")];
  const warmed = await warmPlan({ plan, source, goRoot, store, shards, out: cache, progress });
  for (const { id, seconds } of warmed.shards) clock.add(`warm ${id}`, seconds);
  clock.add("merge", warmed.mergeSeconds);
  return { plan, cache, manifest: warmed.manifest };
}

async function verifyWarmImage(
  options: BakeOptions,
  image: string,
  plan: Plan,
  manifest: CacheManifest,
  { plugins }: PluginLayers,
): Promise<Verification> {
  const { engine, contract, source, progress } = options;
  progress.step("verifying inside the image, without network");
  const programs = plan.programs.filter((program) => manifest.modules.includes(program.directory));
  const container = { docker: engine.docker, env: engineEnvironment(engine) };
  await verifyPlugins(container, image, plugins, options.platform);
  const verification = await verifyImage(container, image, contract, source, programs, progress);
  if (!verification.passed) {
    throw new KilnError("difference", `${image} is not warm:\n${describeMisses(verification)}`, {
      mend: "The image was composed but is neither tagged nor written to the stack. `npx kiln cache verify --image` repeats the check.",
    });
  }
  return verification;
}

const MISSES_SHOWN = 12;

/** A line for each program that did not build from the cache alone. */
export function describeMisses(verification: Verification): string {
  return verification.programs
    .filter(({ compiled, error }) => compiled.length > 0 || error !== undefined)
    .map(({ directory, compiled, error }) => {
      const more =
        compiled.length > MISSES_SHOWN ? ` and ${compiled.length - MISSES_SHOWN} more (--json lists all)` : "";
      const named = compiled.slice(0, MISSES_SHOWN).join(", ");
      const missed = compiled.length > 0 ? `compiled ${compiled.length}: ${named}${more}` : "";
      return `  ${directory}: ${[missed, error].filter((part) => part !== undefined && part !== "").join("; ")}`;
    })
    .join("\n");
}

async function tagImage(client: RegistryClient, image: ImageReference, tag: string): Promise<void> {
  const manifest = await readImageManifest(client, image);
  const tagged = await pushManifest(client, { repository: image.repository, tag }, manifest);
  if (tagged !== image.digest) throw new KilnError("failed", `tagging ${formatReference(image)} gave ${tagged}`);
}

interface Clock {
  <T>(phase: string, work: () => Promise<T>): Promise<T>;
  /** A phase that was timed elsewhere, in seconds. */
  add(phase: string, seconds: number): void;
  readonly seconds: Readonly<Record<string, number>>;
}

function stopwatch(): Clock {
  const seconds: Record<string, number> = {};
  const clock = async <T>(phase: string, work: () => Promise<T>): Promise<T> => {
    const start = performance.now();
    try {
      return await work();
    } finally {
      seconds[phase] = Math.round((performance.now() - start) / 100) / 10;
    }
  };
  const add = (phase: string, taken: number) => {
    seconds[phase] = taken;
  };
  return Object.assign(clock, { seconds, add });
}
