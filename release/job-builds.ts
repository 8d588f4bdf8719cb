import {
  JOB_IMAGES,
  JOB_VERSIONS_FILE,
  unpinnedDownloads,
  type JobImageName,
  type JobVersions,
} from "../execution/job/image-versions.ts";
import { PLATFORMS, type Platform } from "../toolchain/platforms.ts";

/** An image of a release of the job runners, for one platform. */
export interface JobBuild {
  readonly image: JobImageName;
  readonly platform: Platform;
}

/** One that is not built: these downloads have no checksum for its platform. */
export interface LeftOutBuild extends JobBuild {
  readonly unpinned: readonly string[];
}

/** What a release of these versions builds, and what it leaves out: an image is built where all that goes into it is pinned. Pure. */
export function jobBuilds(versions: JobVersions): {
  readonly builds: readonly JobBuild[];
  readonly leftOut: readonly LeftOutBuild[];
} {
  const all = JOB_IMAGES.flatMap((image) =>
    PLATFORMS.map((platform) => ({ image, platform, unpinned: unpinnedDownloads(versions, image, platform) })),
  );
  return {
    builds: all.filter(({ unpinned }) => unpinned.length === 0).map(({ image, platform }) => ({ image, platform })),
    leftOut: all.filter(({ unpinned }) => unpinned.length > 0),
  };
}

/** Why one is left out, as a line for a person. */
export function leftOutText({ image, platform, unpinned }: LeftOutBuild): string {
  return `${image} for ${platform} is left out: ${JOB_VERSIONS_FILE} has no checksum of ${unpinned.join(", ")}`;
}
