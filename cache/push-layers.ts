import { rm } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { readDigest, readImageManifest, type RegistryClient } from "../registry/client.ts";
import { pushLayer } from "../registry/push-layer.ts";
import { withArchivesBeside } from "./archives-beside.ts";
import { layerKey, partition, type CacheLayer } from "./layers.ts";
import type { CacheManifest } from "./manifest.ts";
import type { Packer } from "./packed-layer.ts";
import type { ProgramDelivery } from "./program-delivery.ts";
import { PACKED_LABELS } from "./served-packs.ts";
import { tagName } from "./tag-name.ts";
import { writeLayer, type WrittenLayer } from "./write-layer.ts";

export interface PushLayersOptions {
  readonly client: RegistryClient;
  readonly repository: string;
  /** The cache directory, and what its manifest says. */
  readonly cache: string;
  readonly manifest: CacheManifest;
  /** What of it the image shall have; by default what it was warmed for. */
  readonly delivery?: ProgramDelivery;
  /** Packs the layers; without one they are loose. */
  readonly packer?: Packer | undefined;
  /** Where a layer's archive stands until it is pushed. */
  readonly scratch: string;
  /** Write each layer, also one whose tag is there: what stands under it may be somebody else's. The same content has the same bytes. */
  readonly anew?: boolean;
  readonly progress: Progress;
}

/** A layer in a registry: bytes as they travel, and of the files inside where it was written in this run. */
export interface PushedLayer {
  readonly name: string;
  /** Digest of the image that holds this layer alone. */
  readonly image: string;
  readonly digest: string;
  readonly size: number;
  readonly contentBytes?: number;
  /** How many of those are finished programs, packed where the layer is. */
  readonly programBytes?: number;
}

export interface PushedLayers {
  readonly layers: readonly PushedLayer[];
  /** Wall seconds of writing archives, packs included. */
  readonly writing: number;
}

/** Writes and pushes the layers of a cache that `repository` lacks, or all of them, each while the next one is written. All, in order. */
export async function pushLayers(options: PushLayersOptions): Promise<PushedLayers> {
  const { client, repository, cache, packer, scratch, anew = false, progress } = options;
  const layers = await plannedLayers(options);
  const pushed: PushedLayer[] = [];
  let writing = 0;
  // One archive is under way to the registry at any time, so that at most two stand on the disk.
  let sending = Promise.resolve();
  try {
    for (const [index, layer] of layers.entries()) {
      const { name, goBuild, goMod } = layer;
      const tag = await layerTag(cache, layer, packer);
      const known = anew ? undefined : await readKnownLayer(client, repository, tag);
      if (known !== undefined) {
        progress.update(`${name}: unchanged`, index + 1, layers.length);
        pushed[index] = { name, ...known };
        continue;
      }
      progress.update(`${name}: ${goBuild.length} entries, ${goMod.length} modules`, index, layers.length);
      const start = performance.now();
      const written = await writeLayer(cache, layer, packer, path.join(scratch, `${tag}.tar.gz`));
      writing += (performance.now() - start) / 1000;
      const before = sending;
      sending = (async () => {
        try {
          await before;
          pushed[index] = { name, ...(await push(options, name, tag, written)) };
        } finally {
          await rm(written.file, { force: true });
        }
      })();
      // Its failure is met when it is awaited, not while the next layer is written.
      sending.catch(() => undefined);
      await before;
    }
  } finally {
    await sending;
  }
  return { layers: pushed, writing };
}

/** The layers of a cache, as they are to be written. */
export async function plannedLayers({
  cache,
  manifest,
  delivery,
  packer,
}: Pick<PushLayersOptions, "cache" | "manifest" | "delivery" | "packer">): Promise<readonly CacheLayer[]> {
  const layers = partition(manifest, delivery);
  return packer === undefined ? layers : withArchivesBeside(cache, manifest, layers);
}

async function push(
  { client, repository, manifest, packer }: PushLayersOptions,
  name: string,
  tag: string,
  written: WrittenLayer,
): Promise<Omit<PushedLayer, "name">> {
  const createdBy = `kiln cache layers: ${name}`;
  const labels = packer === undefined ? {} : { labels: PACKED_LABELS };
  const place = { repository, tag, architecture: manifest.contract.goarch, createdBy, ...labels };
  const { digest, size, contentBytes, programBytes } = written;
  return { image: await pushLayer(client, written, place), digest, size, contentBytes, programBytes };
}

/** The tag under which a repository has a layer: its name, as far as a tag can say it, and a digest of its content. */
export async function layerTag(cache: string, layer: CacheLayer, packer?: Packer): Promise<string> {
  return `layer-${tagName(layer.name)}-${(await layerKey(cache, layer, packer?.digest)).slice(0, 32)}`;
}

export async function readKnownLayer(
  client: RegistryClient,
  repository: string,
  tag: string,
): Promise<Pick<PushedLayer, "image" | "digest" | "size"> | undefined> {
  const image = await readDigest(client, { repository, tag });
  if (image === undefined) return undefined;
  const [blob] = (await readImageManifest(client, { repository, digest: image })).layers;
  if (!blob) throw new KilnError("failed", `${repository}:${tag} is not a layer of kiln's`);
  return { image, digest: blob.digest, size: blob.size };
}
