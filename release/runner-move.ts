import { KilnError } from "../errors.ts";
import { shortDigest } from "../registry/image-reference.ts";
import type { RunnerChannel } from "./runner-tag.ts";
import { compareVersions, type Version } from "./version.ts";

/** What a tag of a registry names, and the Pulumi version inside where that is known. */
export interface TaggedRunner {
  readonly digest: string;
  readonly version: Version | undefined;
}

/** What a release does to one moving tag. */
export interface RunnerMove {
  /** `replaced` is a version released anew; `moved` is `latest` on its way up, `moved back` on its way down. */
  readonly kind: "new" | "unchanged" | "replaced" | "moved" | "moved back";
  readonly digest: string;
  /** What the tag named before, where that was another image: to be kept in the record of the release. */
  readonly replaces?: string;
}

/**
 * What a release does to its moving tag. A version's tag may be set anew: somebody deleted the Git tag and pushed it again.
 * `latest` never goes back unless `allowOlder` says so, nor to where nobody can say whether that is back: both throw.
 */
export function runnerMove(options: {
  /** `repository:tag`, for messages. */
  readonly at: string;
  readonly channel: RunnerChannel;
  readonly image: { readonly digest: string; readonly version: Version };
  readonly before: TaggedRunner | undefined;
  readonly allowOlder: boolean;
}): RunnerMove {
  const { at, channel, image, before, allowOlder } = options;
  const { digest } = image;
  if (before === undefined) return { kind: "new", digest };
  if (before.digest === digest) return { kind: "unchanged", digest };
  const replaces = before.digest;
  if (channel !== "latest") return { kind: "replaced", digest, replaces };
  const difference = before.version && compareVersions(image.version, before.version);
  if (difference === 0) return { kind: "replaced", digest, replaces };
  if (difference !== undefined && difference > 0) return { kind: "moved", digest, replaces };
  if (allowOlder) return { kind: "moved back", digest, replaces };
  const has = before.version === undefined ? "an image that says no version" : before.version.text;
  throw new KilnError(
    "difference",
    `${at} is ${has} (${shortDigest(before.digest)}): it does not go back to ${image.version.text}`,
    {
      mend: "Release a higher version. To go back all the same: --allow-older, or the input allow-older of the workflow.",
    },
  );
}

/** Refuses a build tag that names another image: it is immutable, so either somebody moved it or twelve digits are too few. */
export function requireBuildTag(at: string, digest: string, before: string | undefined): void {
  if (before === undefined || before === digest) return;
  throw new KilnError("difference", `${at} is ${before}, and should be ${digest}`, {
    mend: "That tag is written once. Find out who moved it; delete it in the registry, then run the command again.",
  });
}
