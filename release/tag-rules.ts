/** Tags of the IaC runner image (docs: Tags): what one of them stands for never changes. */
const IMMUTABLE = ["iac-runner-base-v*"] as const;

/** Tags of language and job runners: deleting one and pushing it again releases the same version anew. */
const RECREATABLE = ["dev-v*", "latest-v*", "v*", "job-runner-v*"] as const;

/** One ruleset of a repository: what it forbids for tags of these patterns, and whom it exempts. */
export interface TagRule {
  /** Stable: names the resource. */
  readonly key: "immutable" | "made" | "unmoved" | "release";
  /** As GitHub shows it. */
  readonly name: string;
  /** `fnmatch` patterns of whole references. */
  readonly patterns: readonly string[];
  readonly forbids: readonly ("creation" | "update" | "deletion")[];
  readonly exempt: "nobody" | "release app";
}

/**
 * The rules for release tags. An exemption lifts a whole ruleset, so moving a tag in place, which leaves no trace of the
 * former release, is forbidden by one of its own that exempts nobody. Without a release App there is nobody to exempt, and
 * the rules that would lock everybody out are left out.
 */
export function tagRules({ releaseApp }: { readonly releaseApp: boolean }): readonly TagRule[] {
  const immutable: TagRule = {
    key: "immutable",
    name: "kiln: base tags stay as they are",
    patterns: references(IMMUTABLE),
    forbids: ["update", "deletion"],
    exempt: "nobody",
  };
  const made: TagRule = {
    key: "made",
    name: "kiln: the release App alone makes base tags",
    patterns: references(IMMUTABLE),
    forbids: ["creation"],
    exempt: "release app",
  };
  const unmoved: TagRule = {
    key: "unmoved",
    name: "kiln: release tags are not moved",
    patterns: references(RECREATABLE),
    forbids: ["update"],
    exempt: "nobody",
  };
  const release: TagRule = {
    key: "release",
    name: "kiln: the release App alone makes and removes release tags",
    patterns: references(RECREATABLE),
    forbids: ["creation", "deletion"],
    exempt: "release app",
  };
  return releaseApp ? [immutable, made, unmoved, release] : [immutable, unmoved];
}

/** Whether the release App alone makes all tags of a pattern, such as `refs/tags/v*.*.*`, where one is named. Pure. */
export function areReleaseTags(pattern: string): boolean {
  return references([...IMMUTABLE, ...RECREATABLE]).some((covering) => {
    const before = covering.slice(0, -1);
    // A star stands for anything but a slash.
    return pattern.startsWith(before) && !pattern.slice(before.length).includes("/");
  });
}

function references(tags: readonly string[]): readonly string[] {
  return tags.map((tag) => `refs/tags/${tag}`);
}
