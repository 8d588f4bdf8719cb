import { KilnError } from "../errors.ts";
import type { Progress } from "../progress.ts";
import {
  copyBlob,
  copyWithReferrers,
  hasBlob,
  readReferrers,
  readDigest,
  readTags,
  type Descriptor,
  type RegistryClient,
} from "./client.ts";
import { readImage, type Image } from "./compose.ts";
import { formatReference, referrersTag, type PinnedImage } from "./image-reference.ts";

/** What a repository lacks of an image and of what is attached to it. */
export interface Missing {
  /** Config and layers, each digest once. */
  readonly blobs: readonly Descriptor[];
  /** Compressed bytes of `blobs`. */
  readonly bytes: number;
  /** Digests of referrers, and tags by which older tools attach signatures (`sha256-….sig`). */
  readonly attached: readonly string[];
  /** Whether the manifest itself, under its digest and under the tag that keeps it, is to be put there. */
  readonly manifest: boolean;
}

/** An image to copy: where it is, what it is, and where it shall be. */
export interface ImageCopy {
  readonly from: PinnedImage;
  readonly image: Image;
  readonly to: string;
  /** A tag in the target, by which no registry collects the image as untagged. */
  readonly tag: string;
}

/** Whether there is nothing to copy. */
export function isComplete({ blobs, attached, manifest }: Missing): boolean {
  return blobs.length === 0 && attached.length === 0 && !manifest;
}

/** Looks up what the target repository of a copy lacks. Changes nothing. */
export async function readMissing(client: RegistryClient, { from, image, to, tag }: ImageCopy): Promise<Missing> {
  const { digest } = from;
  const target = { repository: to, digest };
  const tagged = await readDigest(client, { repository: to, tag });
  const blobs = await blobsMissing(client, to, [image.manifest.config, ...image.manifest.layers]);
  const manifest = tagged !== digest;
  const present = await readDigest(client, target);
  const [wanted, there] = [
    await readAttached(client, from),
    present === undefined ? [] : await readAttached(client, target),
  ];
  return {
    blobs,
    bytes: blobs.reduce((sum, { size }) => sum + size, 0),
    attached: wanted.filter((name) => !there.includes(name)),
    manifest,
  };
}

/**
 * Copies an image and all that refers to it by digest: within one registry blobs are mounted, across registries they
 * stream through. Goes on from what a broken-off copy left. Throws where the copy is not the image, layer by layer.
 */
export async function copyImage(
  client: RegistryClient,
  copy: ImageCopy,
  missing: Missing,
  progress: Progress,
): Promise<void> {
  const { from, to, tag } = copy;
  if (isComplete(missing)) return;
  let done = 0;
  for (const [index, { digest, size }] of missing.blobs.entries()) {
    progress.update(`blob ${index + 1} of ${missing.blobs.length}`, done, missing.bytes);
    await copyBlob(client, from.repository, to, digest);
    done += size;
  }
  await copyWithReferrers(client, from, { repository: to, tag });
}

/** Throws unless a repository has exactly this image: the same manifest digest and the same file-system layers. */
export async function requireCopy(client: RegistryClient, { from, image, to, tag }: ImageCopy): Promise<void> {
  const target = { repository: to, digest: from.digest };
  const found = await readDigest(client, { repository: to, tag });
  const same =
    found === from.digest &&
    JSON.stringify((await readImage(client, target)).config.rootfs.diff_ids) ===
      JSON.stringify(image.config.rootfs.diff_ids);
  if (same) return;
  throw new KilnError("difference", `${formatReference(target)} is not ${formatReference(from)} after the copy`, {
    mend: "Run the command again: it copies what is missing. If it stays so, the target registry changes what it is given.",
  });
}

async function blobsMissing(
  client: RegistryClient,
  repository: string,
  blobs: readonly Descriptor[],
): Promise<readonly Descriptor[]> {
  const each = [...new Map(blobs.map((blob) => [blob.digest, blob])).values()];
  const present = await Promise.all(each.map(({ digest }) => hasBlob(client, repository, digest)));
  return each.filter((_, index) => present[index] !== true);
}

/** What refers to an image, what refers to that, and the image's digest tags. */
async function readAttached(client: RegistryClient, image: PinnedImage): Promise<readonly string[]> {
  const { repository, digest } = image;
  const direct = await readReferrers(client, image);
  const indirect = await Promise.all(direct.map((referrer) => readReferrers(client, { repository, digest: referrer })));
  const tags = await readTags(client, repository, `${referrersTag(digest)}\\..+`);
  return [...new Set([...direct, ...indirect.flat(), ...tags])];
}
