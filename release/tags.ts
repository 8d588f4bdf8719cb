import { parseVersionTag, type VersionTag } from "./version-tag.ts";
import { compareVersions, parseVersion, type Version } from "./version.ts";

/** What every Git tag of an IaC runner image begins with; its version follows. */
const PREFIX = "iac-runner-base-v";

/** The image tag that follows the highest release. */
const LATEST = "latest";

/** A release of the IaC runner image, by its Git tag `iac-runner-base-v1.2.3`; its image tag is that release for ever. */
export type Release = VersionTag;

/** The release that a Git tag stands for. Throws a usage error that says what is wrong with any other text. */
export function parseReleaseTag(tag: string): Release {
  return parseVersionTag(tag, PREFIX);
}

/** The version of an image tag `v1.2.3`; nothing for any other tag. */
export function releasedVersion(imageTag: string): Version | undefined {
  return imageTag.startsWith("v") ? parseVersion(imageTag.slice(1)) : undefined;
}

/** Whether an image tag is one that releases set: `v1.2.3` or `latest`. */
export function isReleasedTag(imageTag: string): boolean {
  return imageTag === LATEST || releasedVersion(imageTag) !== undefined;
}

/**
 * The image tags that a release sets: its own, and `latest` unless it is a pre-release or `existing`, the tags that the
 * repository has, tell of a higher release. So `latest` never goes back when an old line gets a fix.
 */
export function imageTagsOf({ version, imageTag }: Release, existing: readonly string[]): readonly string[] {
  const higher = existing.some((tag) => {
    const other = releasedVersion(tag);
    return other?.prerelease.length === 0 && compareVersions(other, version) > 0;
  });
  return version.prerelease.length > 0 || higher ? [imageTag] : [imageTag, LATEST];
}
