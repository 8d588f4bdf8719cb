import { KilnError } from "../errors.ts";
import { isTag } from "../registry/image-reference.ts";
import { compareVersions, parseVersion, type Version } from "./version.ts";

/** What every Git tag of an IaC runner image begins with; its version follows. */
const PREFIX = "iac-runner-base-v";

/** The image tag that follows the highest release. */
const LATEST = "latest";

/** A release of the IaC runner image, by its Git tag. */
export interface Release {
  /** The Git tag: `iac-runner-base-v1.2.3`. */
  readonly tag: string;
  readonly version: Version;
  /** The image tag that is this release for ever: `v1.2.3`. */
  readonly imageTag: string;
}

/** The release that a Git tag stands for. Throws a usage error that says what is wrong with any other text. */
export function parseReleaseTag(tag: string): Release {
  const version = tag.startsWith(PREFIX) ? parseVersion(tag.slice(PREFIX.length)) : undefined;
  const imageTag = `v${version?.text ?? ""}`;
  if (version !== undefined && isTag(imageTag)) return { tag, version, imageTag };
  throw new KilnError("usage", `${JSON.stringify(tag)} is no release tag: ${faultOf(tag)}`, {
    mend: `Tag the commit ${PREFIX}1.2.3, or a pre-release ${PREFIX}1.2.3-rc.1 (semver.org).`,
  });
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

/** What is wrong with a text that is no release tag, as one clause. */
function faultOf(tag: string): string {
  if (/\s/.test(tag)) return "it has a blank in it";
  if (!tag.startsWith(PREFIX)) {
    if (tag.toLowerCase().startsWith(PREFIX)) return `it has capitals in ${tag.slice(0, PREFIX.length)}`;
    return /^iac-runner-base-\d/.test(tag) ? "it lacks the v before its version" : `it does not begin with ${PREFIX}`;
  }
  const version = tag.slice(PREFIX.length);
  if (version.includes("+")) return "it has build metadata, and an image tag has no plus sign";
  if (/^\d+(?:\.\d+)?(?:-|$)/.test(version)) return `${version} has not three numbers`;
  if (/^(?:\d+\.)*0\d/.test(version)) return `${version} has a number that begins with 0`;
  if (/-(?:[^.]+\.)*0\d+(?:\.|$)/.test(version)) return `${version} has a pre-release number that begins with 0`;
  if (parseVersion(version) !== undefined) return "it is longer than an image tag can be, which is 128 characters";
  return `${JSON.stringify(version)} is no semantic version`;
}
