import { KilnError } from "../errors.ts";
import { pushIndex, readDigest, type RegistryClient } from "../registry/client.ts";
import { readImage } from "../registry/compose.ts";
import { formatReference, type PinnedImage } from "../registry/image-reference.ts";
import { readIndex } from "./supply/build-facts.ts";
import type { Notary } from "./supply/cosign.ts";
import { requireSeal } from "./supply/seal-faults.ts";
import type { SealDemand } from "./supply/stack-seals.ts";
import { requireVerifiedRunner } from "./verified-runner.ts";

/** An image, and the platform that it is for. */
export interface PlatformImage {
  readonly image: PinnedImage;
  readonly platform: string;
  /** What it was built from and whose record it goes by, where it has none of its own. */
  readonly warm?: PinnedImage;
}

/** One name for the images of several platforms: an index, or the image itself where there is one alone. */
export interface PlatformIndex {
  readonly repository: string;
  readonly digest: string;
  /** In the order of their names, which makes the digest the same however the images are named. */
  readonly images: readonly PlatformImage[];
}

/**
 * Joins runner images of one repository, one a platform, and pushes their index by digest, without a tag. An index that is named
 * stands for its images, and where it is named alone for itself. Throws for an image that is gone or was never verified.
 */
export async function joinPlatforms(client: RegistryClient, named: readonly PinnedImage[]): Promise<PlatformIndex> {
  const repository = onlyRepository(named);
  const listed = await Promise.all(named.map((image) => readListed(client, image)));
  const images = byPlatform(await Promise.all(listed.flat().map((image) => readVerified(client, image))));
  const joined = named.length === 1 ? named : images.map(({ image }) => image);
  const [first = "", ...others] = joined.map(({ digest }) => digest);
  const digest = others.length === 0 ? first : await pushIndex(client, { repository }, [first, ...others]);
  return { repository, digest, images };
}

/**
 * The same of images that have the seals which stacks demand of them: then only the index itself is left to seal, and nobody who
 * can seal an index lends a signature to an image.
 */
export async function joinSealed(options: {
  readonly client: RegistryClient;
  readonly images: readonly PinnedImage[];
  readonly demands: readonly SealDemand[];
  readonly notary: Notary;
}): Promise<PlatformIndex> {
  const { client, images, demands, notary } = options;
  const listed = await Promise.all(images.map((image) => readListed(client, image)));
  for (const image of listed.flat()) {
    for (const { stack, policy } of demands) await requireSeal({ client, notary, policy }, image, stack);
  }
  return joinPlatforms(client, images);
}

/** The images by platform, in the order of its name. Throws where two are for one. Pure. */
export function byPlatform(images: readonly PlatformImage[]): readonly PlatformImage[] {
  const found = new Map<string, PlatformImage>();
  for (const one of images) {
    const known = found.get(one.platform);
    if (known !== undefined && known.image.digest !== one.image.digest) {
      throw new KilnError("usage", `two images are for ${one.platform}: ${known.image.digest}, ${one.image.digest}`, {
        mend: "Name one image a platform.",
      });
    }
    found.set(one.platform, one);
  }
  return [...found.values()].sort((a, b) => (a.platform < b.platform ? -1 : 1));
}

function onlyRepository(images: readonly PinnedImage[]): string {
  const repositories = [...new Set(images.map(({ repository }) => repository))];
  const [repository, other] = repositories;
  if (repository !== undefined && other === undefined) return repository;
  throw new KilnError(
    "usage",
    repository === undefined
      ? "there is no image to publish"
      : `the images are of two repositories, ${repository} and ${other ?? ""}`,
    { mend: "Name by --image what `pulumi stack output image` prints, of stacks with one kiln:registry." },
  );
}

/** The images of an index; an image itself. Throws where the registry has neither. */
async function readListed(client: RegistryClient, image: PinnedImage): Promise<readonly PinnedImage[]> {
  if ((await readDigest(client, image)) === undefined) {
    throw new KilnError("difference", `there is no ${formatReference(image)}`, {
      mend: "Bring up its stack again: `npx kiln up --stack S` pushes it.",
    });
  }
  const index = await readIndex(client, image);
  return index?.children.map((digest) => ({ repository: image.repository, digest })) ?? [image];
}

async function readVerified(client: RegistryClient, image: PinnedImage): Promise<PlatformImage> {
  const read = await readImage(client, image);
  const warm = await requireVerifiedRunner(client, image, read);
  return { image, platform: `${read.config.os}/${read.config.architecture}`, ...(warm && { warm }) };
}
