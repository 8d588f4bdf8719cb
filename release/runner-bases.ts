import { concurrently } from "../cache/concurrently.ts";
import { readBlobText, type ImageConfig, type RegistryClient } from "../registry/client.ts";
import { parsePinnedImage } from "../registry/image-reference.ts";
import { warmRepositoryOf } from "../registry/repository-names.ts";
import type { StoredManifest } from "../registry/stored-manifest.ts";
import { BASE_LABEL } from "./verified-runner.ts";

/** Configs that a registry is asked for at once: each is a process here. */
const WIDTH = 8;

/**
 * The digests of the warm images that runner images say they were made from, by the digests of those: of all images in repositories
 * beside one for warm images. Throws where a config cannot be read: what its image needs would be taken for unused.
 */
export async function readRunnerBases(
  client: RegistryClient,
  manifests: readonly StoredManifest[],
): Promise<ReadonlyMap<string, string>> {
  const repositories = new Set(manifests.map(({ repository }) => repository));
  const bases = new Map<string, string>();
  await concurrently(
    manifests.filter((manifest) => isImage(manifest) && repositories.has(warmRepositoryOf(manifest.repository))),
    async ({ repository, digest, config = "" }) => {
      const base = baseIn(await readBlobText(client, repository, config));
      if (base !== undefined) bases.set(digest, base);
    },
    WIDTH,
  );
  return bases;
}

/** Whether a manifest may be that of an image, and of nothing that is attached to one. */
function isImage({ layers, config, subject }: StoredManifest): boolean {
  return layers.length > 0 && config !== undefined && subject === undefined;
}

/** The digest of the warm image in a config's label; nothing where it names none, as of a standalone image. Pure. */
function baseIn(config: string): string | undefined {
  let label: unknown;
  try {
    label = (JSON.parse(config) as Partial<ImageConfig> | null)?.config?.Labels?.[BASE_LABEL];
  } catch {
    return undefined;
  }
  return typeof label === "string" ? parsePinnedImage(label)?.digest : undefined;
}
