import { parseJobTag } from "./job-image.ts";
import { parseRunnerTag, type RunnerTag } from "./runner-tag.ts";
import { parseReleaseTag, type Release } from "./tags.ts";
import type { VersionTag } from "./version-tag.ts";

/** What a Git tag of this repository releases. */
export type GitTag =
  | { readonly kind: "iac-runner"; readonly release: Release }
  | { readonly kind: "job-runner"; readonly release: VersionTag }
  | { readonly kind: "language-runner"; readonly release: RunnerTag };

/**
 * The release that a Git tag stands for, of whatever kind. Throws a usage error that says what is wrong: by the grammar that
 * the tag's first words are of, and by that of the language runners where they are of none.
 */
export function parseGitTag(text: string): GitTag {
  const lower = text.toLowerCase();
  if (lower.startsWith("iac-runner")) return { kind: "iac-runner", release: parseReleaseTag(text) };
  if (lower.startsWith("job-runner")) return { kind: "job-runner", release: parseJobTag(text) };
  return { kind: "language-runner", release: parseRunnerTag(text) };
}
