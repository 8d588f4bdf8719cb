import { KilnError } from "../errors.ts";
import { isTag } from "../registry/image-reference.ts";
import { parseVersion, type Version } from "./version.ts";

/** A Git tag that is a prefix and a version, and the image tag that is this version for ever: `v1.2.3`. */
export interface VersionTag {
  readonly tag: string;
  readonly version: Version;
  readonly imageTag: string;
}

/** Takes such a tag apart. Throws a usage error that says what is wrong with any other text. */
export function parseVersionTag(tag: string, prefix: string): VersionTag {
  const version = tag.startsWith(prefix) ? parseVersion(tag.slice(prefix.length)) : undefined;
  const imageTag = `v${version?.text ?? ""}`;
  if (version !== undefined && isTag(imageTag)) return { tag, version, imageTag };
  throw new KilnError("usage", `${JSON.stringify(tag)} is no release tag: ${faultOf(tag, prefix)}`, {
    mend: `Tag the commit ${prefix}1.2.3, or a pre-release ${prefix}1.2.3-rc.1 (semver.org).`,
  });
}

/** What is wrong with a text that is no such tag, as one clause. */
function faultOf(tag: string, prefix: string): string {
  if (/\s/.test(tag)) return "it has a blank in it";
  if (!tag.startsWith(prefix)) {
    if (tag.toLowerCase().startsWith(prefix)) return `it has capitals in ${tag.slice(0, prefix.length)}`;
    const lacks = tag.startsWith(prefix.slice(0, -1)) && /^\d/.test(tag.slice(prefix.length - 1));
    return lacks ? "it lacks the v before its version" : `it does not begin with ${prefix}`;
  }
  const version = tag.slice(prefix.length);
  if (version.includes("+")) return "it has build metadata, and an image tag has no plus sign";
  if (/^\d+(?:\.\d+)?(?:-|$)/.test(version)) return `${version} has not three numbers`;
  if (/^(?:\d+\.)*0\d/.test(version)) return `${version} has a number that begins with 0`;
  if (/-(?:[^.]+\.)*0\d+(?:\.|$)/.test(version)) return `${version} has a pre-release number that begins with 0`;
  if (parseVersion(version) !== undefined) return "it is longer than an image tag can be, which is 128 characters";
  return `${JSON.stringify(version)} is no semantic version`;
}
