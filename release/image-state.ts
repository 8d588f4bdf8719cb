import { readRecord } from "../cache/record.ts";
import { readDigest, readTags, type RegistryClient } from "../registry/client.ts";
import type { PinnedImage } from "../registry/image-reference.ts";
import { readStoredManifest } from "../registry/stored-manifest.ts";
import { isReleasedTag } from "./tags.ts";

/** A release tag, with the digests and the lists of layers of the images that it names. */
export interface ReleasedTag {
  /** `repository:v1.2.3`. */
  readonly tag: string;
  readonly digests: readonly string[];
  readonly layers: readonly string[];
}

/** What a registry has of an image: it with a valid record, it alone, or nothing; and the release tags that name it. */
export interface ImageState {
  readonly registry: "verified" | "unverified" | "gone";
  readonly tags: readonly string[];
}

/** Reads the release tags of repositories, `v1.2.3` and `latest`, with what they name. */
export async function readReleasedTags(
  client: RegistryClient,
  repositories: readonly string[],
): Promise<readonly ReleasedTag[]> {
  const released: ReleasedTag[] = [];
  for (const repository of repositories) {
    for (const tag of (await readTags(client, repository, "latest|v.*")).filter(isReleasedTag)) {
      const manifest = await readStoredManifest(client, { repository, tag });
      if (manifest === undefined) continue;
      const children = await Promise.all(
        manifest.children.map((digest) => readStoredManifest(client, { repository, digest })),
      );
      const all = [manifest, ...children.filter((child) => child !== undefined)];
      released.push({
        tag: `${repository}:${tag}`,
        digests: all.map(({ digest }) => digest),
        layers: all.filter(({ layers }) => layers.length > 0).map(({ layers }) => layers.join()),
      });
    }
  }
  return released;
}

/** Looks an image up. A tag names it by its digest, or by its layers: a runner image is a warm image with other labels. */
export async function readImageState(
  client: RegistryClient,
  image: PinnedImage,
  released: readonly ReleasedTag[],
): Promise<ImageState> {
  const digest = await readDigest(client, image);
  const manifest = digest === undefined ? undefined : await readStoredManifest(client, image);
  if (manifest === undefined) return { registry: "gone", tags: [] };
  const layers = manifest.layers.join();
  const naming = released.filter((tag) => tag.digests.includes(image.digest) || tag.layers.includes(layers));
  const { record } = manifest.layers.length > 0 ? await readRecord(client, image) : {};
  return {
    registry: record === undefined ? "unverified" : "verified",
    tags: naming.map(({ tag }) => tag),
  };
}
