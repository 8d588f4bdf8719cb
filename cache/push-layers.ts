import { rm } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { readDigest, readImageManifest, type RegistryClient } from "../registry/client.ts";
import { pushLayer } from "../registry/push-layer.ts";
import { layerKey, partition, writeLayer, type CacheLayer } from "./layers.ts";
import type { CacheManifest } from "./manifest.ts";

export interface PushLayersOptions {
  readonly client: RegistryClient;
  readonly repository: string;
  /** The cache directory, and what its manifest says. */
  readonly cache: string;
  readonly manifest: CacheManifest;
  /** Where a layer's archive stands until it is pushed. */
  readonly scratch: string;
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
}

/** Writes and pushes the layers of a cache that `repository` lacks, one after the other, and returns all, in order. */
export async function pushLayers(options: PushLayersOptions): Promise<readonly PushedLayer[]> {
  const { client, repository, cache, manifest, progress } = options;
  const layers = partition(manifest);
  const pushed: PushedLayer[] = [];
  for (const [index, layer] of layers.entries()) {
    const tag = await layerTag(cache, layer);
    const known = await readKnownLayer(client, repository, tag);
    if (known !== undefined) {
      progress.update(`${layer.name}: unchanged`, index + 1, layers.length);
      pushed.push({ name: layer.name, ...known });
      continue;
    }
    progress.update(
      `${layer.name}: ${layer.goBuild.length} entries, ${layer.goMod.length} modules`,
      index,
      layers.length,
    );
    const file = path.join(options.scratch, `${tag}.tar.gz`);
    try {
      const written = await writeLayer(cache, layer, file);
      const createdBy = `kiln cache layers: ${layer.name}`;
      const place = { repository, tag, architecture: manifest.contract.goarch, createdBy };
      const image = await pushLayer(client, written, place);
      const { digest, size, contentBytes } = written;
      pushed.push({ name: layer.name, image, digest, size, contentBytes });
    } finally {
      await rm(file, { force: true });
    }
  }
  return pushed;
}

/** How much of a layer's name its tag repeats: a tag has at most 128 characters, and the key tells layers apart. */
const NAME_CHARACTERS = 80;

/** The tag under which a repository has a layer: its name, as far as a tag can say it, and a digest of its content. */
export async function layerTag(cache: string, layer: CacheLayer): Promise<string> {
  const name = layer.name
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, "-")
    .slice(0, NAME_CHARACTERS);
  return `layer-${name}-${(await layerKey(cache, layer)).slice(0, 32)}`;
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
