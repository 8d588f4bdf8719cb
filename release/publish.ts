import { KilnError } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { readDigest, readTags, type RegistryClient } from "../registry/client.ts";
import { formatReference, type PinnedImage } from "../registry/image-reference.ts";
import { tagManifest } from "../registry/tag-manifest.ts";
import { joinPlatforms } from "./platform-index.ts";
import type { Notary } from "./supply/cosign.ts";
import { requireBuiltFrom } from "./supply/built-from.ts";
import { requireSeal } from "./supply/seal-faults.ts";
import type { SealDemand } from "./supply/stack-seals.ts";
import { imageTagsOf, isReleasedTag, type Release } from "./tags.ts";

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
 * Sets the image tags of a release: on the image, on the index that is named, or on a new one of several images, one a platform.
 * A version's tag that names another digest stays as it is and throws: what was released once is that for ever. So does an image
 * that was never verified, and where a stack demands a seal, an image or index without it, or one that was built from another
 * commit than the Git tag's, itself or the warm image below it.
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
  const { repository, digest, images } = await joinPlatforms(client, options.images);
  const existing = (await readTags(client, repository, "latest|v.*")).filter(isReleasedTag);
  const before = await readDigest(client, { repository, tag: release.imageTag });
  if (before !== undefined && before !== digest) throw moved(release, repository, before, digest);
  // Of an index its images too, and before any tag names it.
  for (const { stack, policy } of options.demands) {
    const check = { client, notary, policy };
    await requireSeal(check, { repository, digest }, stack);
    const commit = await options.readCommit();
    // What an image is made of is what the warm image below it is: both are of that commit.
    for (const built of images.flatMap(({ image, warm }) => (warm === undefined ? [image] : [image, warm])))
      await requireBuiltFrom(check, built, { commit, tag: release.tag, stack });
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
  const platforms = images.map(({ platform }) => platform);
  return { tag: release.tag, repository, digest, platforms, imageTags, unchanged };
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
