import { mkdir } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../errors.ts";
import { composeInRegistry } from "../registry/compose.ts";
import { pushManifest, readDigest, readImageManifest, type RegistryClient } from "../registry/client.ts";
import { formatReference, type ImageReference } from "../registry/image-reference.ts";
import { withLock } from "../toolchain/lock.ts";
import { removeFolder } from "../toolchain/remove-folder.ts";
import { bakeLock } from "../toolchain/work-folder.ts";
import type { Bake, BakedLayer, BakeOptions } from "./bake-options.ts";
import { baseRecipe, readyWarmBase } from "./base.ts";
import { imageEnvironment, PROGRAMS_LABEL, STORE_LABEL } from "./contract.ts";
import { readGocache, type Gocache } from "./gocache.ts";
import { inputsKey } from "./inputs.ts";
import { cacheLabels, type CacheManifest } from "./manifest.ts";
import { packagesDocument, pushPackages } from "./packages-document.ts";
import { phaseClock, type PhaseClock } from "./phase-clock.ts";
import type { Plan } from "./plan.ts";
import { makePlan, requireNoFailures } from "./planning.ts";
import { pushPlugins, readPluginBake } from "./plugins/bake.ts";
import { readPrograms } from "./programs.ts";
import { pushLayers, type PushedLayer, type PushLayersOptions } from "./push-layers.ts";
import { readRecord } from "./record.ts";
import { restoreFrom, type StoreSource } from "./store-source.ts";
import { markUsed } from "./used-tag.ts";
import { verifyBaked } from "./verify-baked.ts";
import { warmAll } from "./warm-plan.ts";

export type { Bake, BakedLayer, BakeOptions };

/**
 * Bakes a warm image here: plan, compile and link as one build graph, layers, compose, verify inside the image; its tag
 * `inputs-<key>` appears only after it passed. An image of the same inputs is found again by that tag, whatever became
 * of the work folder.
 */
export function bake(options: BakeOptions): Promise<Bake> {
  return withLock(bakeLock(options.places.work), options.progress, "another bake of this checkout", () =>
    bakeAlone(options),
  );
}

async function bakeAlone(options: BakeOptions): Promise<Bake> {
  const { places, client, repository, contract, source, progress } = options;
  const { programs } = await readPrograms(source, options.pattern, options.providers);
  const gocache = await readGocache(options);
  const server = serverOf(options, gocache);
  const recipe = await baseRecipe(places, options.tools, options.baseReference, server);
  const pluginBake = await readPluginBake(places, options.plugins ?? "none", options.platform);
  const form = [options.layout, options.delivery];
  const inputs = [...recipe, ...form, options.platform, ...options.allowFailed, ...pluginBake.recipe];
  const key = await inputsKey(source, programs, contract, inputs);
  const tag = `inputs-${key.slice(0, 32)}`;
  const known = await readFinished(options, tag);
  if (known !== undefined) {
    const manifest = await readImageManifest(client, { repository, digest: known });
    const layers = manifest.layers.map(({ digest, size }, index) => ({ name: `layer ${index + 1}`, digest, size }));
    await markUsed(client, { repository, digest: known }, { now: Date.now(), progress });
    return { warmImage: `${repository}@${known}`, reused: true, layers, seconds: {} };
  }

  const clock = phaseClock();
  const work = path.join(places.work, "bake");
  await mkdir(work, { recursive: true });
  const scratch = path.join(work, "layers");
  const anew = options.reuse !== undefined;
  const need = { ...options, programs, store: storeOf(options) };
  const plugins = await clock("plugins", () => pushPlugins(pluginBake, { ...need, scratch, anew }));
  const base = await clock("base image", () => readyWarmBase({ ...options, recipe, server }));
  const from = await options.from();
  if (from.length > 0) await clock("restore", () => restore(options, from, gocache));
  const { plan, manifest, cache } = await warm(options, gocache, work, clock);
  requireNoFailures({ ...plan.faults, ...manifest.failed }, plan.allowFailed);

  progress.step("writing and pushing layers");
  const packer = server && (await gocache.packer());
  const caches = await pushTimed({ ...options, cache, manifest, packer, scratch, anew }, clock);
  const layers = [...plugins.layers, ...caches];
  const digest = await clock("compose", () =>
    composeInRegistry(client, {
      base,
      layers: layers.map((layer) => ({ repository, digest: layer.image })),
      to: { repository },
      platform: options.platform,
      settings: {
        labels: { ...warmLabels(options, manifest), ...plugins.labels },
        environment: imageEnvironment(contract),
      },
    }),
  );
  const warmImage = `${repository}@${digest}`;
  const programsOf = plan.programs.filter(({ directory }) => manifest.modules.includes(directory));
  const image = { repository, digest };
  const { verification, before } = await clock("verify", () =>
    verifyBaked(options, {
      ...{ image, base: formatReference(base), layers: caches, manifest },
      ...{ programs: programsOf, plugins: plugins.plugins },
    }),
  );
  const sizes = Object.fromEntries(caches.map(({ name, size }) => [name, size]));
  // An image of binaries has compiled nothing that another bake could find.
  if (options.delivery !== "binaries")
    await pushPackages(client, { repository, digest }, await packagesDocument(cache, manifest, sizes));
  // An image that lacks what Pulumi will look for is verified, but the next bake tries again.
  if (manifest.missing === undefined) {
    await options.reuse?.vouch(image, tag);
    await tagImage(client, image, tag);
  }
  await removeFolder(work);
  return { warmImage, reused: false, layers, verification, before, seconds: clock.seconds };
}

/** The image of the same inputs that the repository has, if it was verified and may be taken. Its seal is asked for where it is used. */
async function readFinished({ client, repository, reuse }: BakeOptions, tag: string): Promise<string | undefined> {
  const digest = await readDigest(client, { repository, tag });
  if (digest === undefined || (await readRecord(client, { repository, digest })).record === undefined) return undefined;
  return (await reuse?.takes({ repository, digest }, tag)) === false ? undefined : digest;
}

/** What an image for packed caches needs of gocache; nothing where its caches are loose, or where it has none. */
function serverOf({ layout, delivery }: Pick<BakeOptions, "layout" | "delivery">, { server }: Gocache) {
  return layout === "packed" && delivery !== "binaries" ? server : undefined;
}

function storeOf({ store, places }: BakeOptions): string {
  return store ?? path.join(places.work, "store");
}

/** Fills the store from earlier images, shards and cache directories. */
async function restore(options: BakeOptions, from: readonly StoreSource[], gocache: Gocache): Promise<void> {
  const { client, contract, progress } = options;
  await restoreFrom(from, {
    client,
    store: storeOf(options),
    contract,
    gocache: async () => (await gocache.packer()).program,
    // What is pushed are packs, which have no tests either; the cache directory is gone in the end.
    partialModules: options.layout === "packed",
    progress,
  });
}

async function pushTimed(options: PushLayersOptions, clock: PhaseClock): Promise<readonly PushedLayer[]> {
  const start = performance.now();
  const { layers, writing } = await pushLayers(options);
  clock.add("layers", writing);
  clock.add("push", (performance.now() - start) / 1000 - writing);
  return layers;
}

/** Labels by which a warm image says what it is warm for, and how. */
function warmLabels(options: BakeOptions, manifest: CacheManifest): Readonly<Record<string, string>> {
  return {
    ...cacheLabels(manifest),
    [STORE_LABEL]: options.layout,
    [PROGRAMS_LABEL]: options.delivery,
  };
}

async function warm(
  options: BakeOptions,
  gocache: Gocache,
  work: string,
  clock: PhaseClock,
): Promise<{ readonly plan: Plan; readonly manifest: CacheManifest; readonly cache: string }> {
  const { source, goRoot, delivery, progress } = options;
  const store = storeOf(options);
  const plan = await clock("plan", () => makePlan({ ...options, division: { by: "provider" }, store }));
  const cache = path.join(work, "cache");
  const { program } = await clock("gocache", gocache.packer);
  const warmed = await warmAll({ plan, source, goRoot, store, delivery, gocache: program, out: cache, progress });
  for (const [phase, seconds] of Object.entries(warmed.seconds)) clock.add(phase, seconds);
  return { plan, cache, manifest: warmed.manifest };
}

async function tagImage(client: RegistryClient, image: ImageReference, tag: string): Promise<void> {
  const manifest = await readImageManifest(client, image);
  const tagged = await pushManifest(client, { repository: image.repository, tag }, manifest);
  if (tagged !== image.digest) throw new KilnError("failed", `tagging ${formatReference(image)} gave ${tagged}`);
}
