import { readTags } from "../registry/client.ts";
import type { PinnedImage } from "../registry/image-reference.ts";
import { releasedJobImage, type JobTarget } from "./job-image.ts";
import { publishImage, type PublishedRunner } from "./runner-publish.ts";
import type { ListOptions } from "./supply/package-list.ts";
import { wasSetBackFrom } from "./tag-history.ts";
import { makeMoves, readMoves, type TagMoves } from "./tag-moves.ts";
import { imageTagsOf } from "./tags.ts";
import type { VersionTag } from "./version-tag.ts";

/** The image tag that follows the highest release, unless it was rolled back. */
export const LATEST = "latest";

/** What was published of one image. */
export interface PublishedJobImage extends PublishedRunner {
  /** What happened to `latest`, by repository; nothing where it stays: a higher release is there, or it was set back from this one. */
  readonly latest?: TagMoves;
}

interface JobPublication extends ListOptions {
  readonly release: VersionTag;
  readonly target: JobTarget;
  /** In the first repository of the target, one a platform. */
  readonly images: readonly PinnedImage[];
  /** Let `latest` go back. */
  readonly allowOlder: boolean;
  readonly now: Date;
}

/**
 * Publishes one image of a release: its build tag, the tag of its version, and `latest` unless it is a pre-release, the repository
 * has a higher release, or `latest` was set back from this one. So it stays where an old line gets a fix, and where it was rolled
 * back to, also when the release that was bad is run again.
 */
export async function publishJobImage(publication: JobPublication): Promise<PublishedJobImage> {
  const { target, release, ...others } = publication;
  const { client, allowOlder, now, progress } = publication;
  const { repositories } = target;
  const existing = await readTags(client, repositories[0], "v.*");
  const released = releasedJobImage(release, target);
  const published = await publishImage({ ...others, released });
  const { digest } = published;
  const isLatest =
    allowOlder || (imageTagsOf(release, existing).includes(LATEST) && !(await isSetBack(publication, digest)));
  if (!isLatest) return published;
  const image = { digest, version: release.version };
  const aim = { repositories, imageTag: LATEST, channel: "latest", image, allowOlder } as const;
  const moves = await readMoves(client, aim);
  const { version, tag } = release;
  const { buildTag } = published;
  await makeMoves(client, moves, { release: tag, version, imageTag: LATEST, buildTag, now, progress });
  return { ...published, latest: moves };
}

/** Whether somebody took `latest` off this release: a second run of its jobs does not put it there again. */
function isSetBack({ client, target, release }: JobPublication, digest: string): Promise<boolean> {
  const at = { repository: target.repositories[0], imageTag: LATEST };
  return wasSetBackFrom(client, at, { digest, version: release.version.text });
}
