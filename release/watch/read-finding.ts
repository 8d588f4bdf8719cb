import { KilnError } from "../../errors.ts";
import { hasPublicTag } from "../../registry/public-manifest.ts";
import { runnerRelease, type RunnerRegistries } from "../runner-image.ts";
import { formatRunnerTag, parseRunnerTag } from "../runner-tag.ts";
import { isPlaceholder, REGISTRIES_FILE } from "../runner-registries.ts";
import type { WatchPolicy } from "./policy.ts";
import type { TagRepository } from "./tag-repository.ts";
import type { Finding } from "./verdict.ts";

export interface FindingOptions {
  readonly repository: TagRepository;
  readonly registries: RunnerRegistries;
  readonly policy: WatchPolicy;
}

/** What is found out about a version's images to try: which of those that the policy asks for are missing, and since when. */
export async function readFinding(version: string, options: FindingOptions): Promise<Finding> {
  const { repository, registries, policy } = options;
  const tag = parseRunnerTag(formatRunnerTag("dev", version));
  const { targets } = runnerRelease(tag, { registries, ...policy.required });
  const begun = await repository.readTime(tag.tag);
  const [registry = ""] = registries.preproduction;
  if (isPlaceholder(registry)) return { missing: [], fault: `${REGISTRIES_FILE} still says ${registry}`, begun };
  try {
    const missing: string[] = [];
    for (const { repositories, imageTag } of targets) {
      const [first] = repositories;
      if (!(await hasPublicTag(first, imageTag))) missing.push(`${first}:${imageTag}`);
    }
    return { missing, fault: undefined, begun };
  } catch (error) {
    if (!(error instanceof KilnError) || error.kind !== "unreachable") throw error;
    return { missing: [], fault: error.message, begun };
  }
}
