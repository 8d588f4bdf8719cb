import { KilnError } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { pushIndex, readDigest, readTags, type RegistryClient } from "../registry/client.ts";
import { readImage } from "../registry/compose.ts";
import { formatReference, type PinnedImage } from "../registry/image-reference.ts";
import { tagManifest } from "../registry/tag-manifest.ts";
import type { Notary } from "./supply/cosign.ts";
import { requireBuiltFrom } from "./supply/built-from.ts";
import { requireSeal } from "./supply/seal-faults.ts";
import type { SealDemand } from "./supply/stack-seals.ts";
import { imageTagsOf, isReleasedTag, type Release } from "./tags.ts";
import { requireVerifiedRunner } from "./verified-runner.ts";

/** An image of a release, and the platform that it is for. */
export interface PublishedImage {
  readonly image: PinnedImage;
  readonly platform: string;
}

/** What a release's tags name now. */
export interface Published {
  readonly tag: string;
  readonly repository: string;
  /** Of the image, or of the index where it is for several platforms. */
  readonly digest: string;
  readonly platforms: readonly string[];
  /** Image tags that were set or were right already; `latest` is not among those of an older line. */
  readonly imageTags: readonly string[];
  readonly unchanged: boolean;
}

/**
 * Sets the image tags of a release: on the image, or on an index of one image a platform. A version's tag that names another
 * digest stays as it is and throws: what was released once is that for ever. So does an image that was never verified, and where
 * a stack demands a seal, an image or index without it, or one that was built from another commit than the Git tag's.
 */
export async function publishRelease(options: {
  readonly client: RegistryClient;
  readonly release: Release;
  readonly images: readonly PinnedImage[];
  /** What stacks demand of images of this repository. */
  readonly demands: readonly SealDemand[];
  /** The commit that the release's Git tag names; asked for where a seal is demanded. */
  readonly readCommit: () => Promise<string>;
  readonly notary: Notary;
  readonly progress: Progress;
}): Promise<Published> {
  const { client, release, notary, progress } = options;
  const repository = onlyRepository(options.images);
  const images = await Promise.all(options.images.map((image) => readVerified(client, image)));
  const platforms = byPlatform(images);
  const [first, ...others] = platforms;
  if (first === undefined)
    throw new KilnError("usage", "there is no image to publish", { mend: "Name it by --image." });

  const existing = (await readTags(client, repository, "latest|v.*")).filter(isReleasedTag);
  const digest =
    others.length === 0
      ? first.image.digest
      : await pushIndex(
          client,
          { repository },
          platforms.map(({ image }) => image.digest),
        );
  const before = await readDigest(client, { repository, tag: release.imageTag });
  if (before !== undefined && before !== digest) throw moved(release, repository, before, digest);
  // Of an index its images too, and before any tag names it.
  for (const { stack, policy } of options.demands) {
    const check = { client, notary, policy };
    await requireSeal(check, { repository, digest }, stack);
    const commit = await options.readCommit();
    for (const { image } of platforms) await requireBuiltFrom(check, image, { commit, tag: release.tag, stack });
  }
  const imageTags = imageTagsOf(release, existing);
  let unchanged = true;
  // The version first: `latest` never names what has no version.
  for (const tag of imageTags) {
    if ((await readDigest(client, { repository, tag })) === digest) continue;
    progress.step(`tagging ${formatReference({ repository, tag })}`);
    await tagManifest(client, { repository, digest }, tag);
    unchanged = false;
  }
  const names = platforms.map(({ platform }) => platform);
  return { tag: release.tag, repository, digest, platforms: names, imageTags, unchanged };
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

async function readVerified(client: RegistryClient, image: PinnedImage): Promise<PublishedImage> {
  if ((await readDigest(client, image)) === undefined) {
    throw new KilnError("difference", `there is no ${formatReference(image)}`, {
      mend: "Bring up its stack again: `npx kiln up --stack S` pushes it.",
    });
  }
  const read = await readImage(client, image);
  await requireVerifiedRunner(client, image, read);
  return { image, platform: `${read.config.os}/${read.config.architecture}` };
}

/** The images by platform, in the order of its name. Throws where two are for one. Pure. */
export function byPlatform(images: readonly PublishedImage[]): readonly PublishedImage[] {
  const found = new Map<string, PublishedImage>();
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

function moved({ tag, imageTag }: Release, repository: string, before: string, digest: string): KilnError {
  return new KilnError(
    "difference",
    `${repository}:${imageTag} is ${before} already, and ${tag} would make it ${digest}`,
    {
      mend: "A version is released once: tag the commit with the next version.",
    },
  );
}
