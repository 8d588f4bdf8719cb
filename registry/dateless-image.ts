import { OCI, pushDocument, pushManifest, type ImageConfig, type RegistryClient } from "./client.ts";
import { readImage } from "./compose.ts";
import type { PinnedImage } from "./image-reference.ts";

/** The date of every image whose layers have no date of their own. */
export const IMAGE_DATE = "1980-01-01T00:00:00Z";

const DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip";

/**
 * Puts an image anew without what a build notes of its day and machine, and returns its digest: so the same layers and settings
 * are the same image, whoever built it and when. No layer bytes move.
 */
export async function pushDateless(client: RegistryClient, image: PinnedImage): Promise<string> {
  const { repository } = image;
  const { manifest, config } = await readImage(client, image);
  const document = await pushDocument(client, repository, OCI.config, JSON.stringify(datelessConfig(config)));
  // Docker's manifests name their layers in words of their own; the bytes are the same.
  const layers = manifest.layers.map(({ mediaType, digest, size }) => ({
    mediaType: mediaType === DOCKER_LAYER ? OCI.layer : mediaType,
    ...{ digest, size },
  }));
  return pushManifest(client, { repository }, { schemaVersion: 2, mediaType: OCI.manifest, config: document, layers });
}

/** A config with a fixed date, and without the fields in which builders tell of themselves. Pure. */
export function datelessConfig({ architecture, os, config, rootfs, history = [] }: ImageConfig): ImageConfig {
  const steps = history.map(({ created_by, empty_layer, comment }) => ({
    created: IMAGE_DATE,
    ...(created_by === undefined ? {} : { created_by }),
    ...(empty_layer === undefined ? {} : { empty_layer }),
    ...(comment === undefined ? {} : { comment }),
  }));
  return { created: IMAGE_DATE, architecture, os, ...(config === undefined ? {} : { config }), rootfs, history: steps };
}
