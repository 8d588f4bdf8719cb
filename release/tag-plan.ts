import { KilnError } from "../errors.ts";
import type { JobVersions } from "../execution/job/image-versions.ts";
import { parseGitTag } from "./git-tag.ts";
import { jobBuilds, type JobBuild, type LeftOutBuild } from "./job-builds.ts";
import { jobTargets, type JobTarget } from "./job-image.ts";
import { runnerRelease, type RunnerRegistries, type RunnerTarget } from "./runner-image.ts";
import type { RunnerEnvironment } from "./runner-tag.ts";

/** What a Git tag would release, or why it releases nothing. */
export type TagPlan =
  | {
      readonly tag: string;
      readonly kind: "iac-runner";
      readonly version: string;
      /** The image tags; `latest` is set unless the registry knows of a higher release, and never by a pre-release. */
      readonly imageTags: readonly string[];
    }
  | {
      readonly tag: string;
      readonly kind: "job-runner";
      readonly version: string;
      /** The same rule, by image. */
      readonly imageTags: readonly string[];
      readonly registries: readonly string[];
      /** The images that are built for some platform. */
      readonly targets: readonly JobTarget[];
      readonly builds: readonly JobBuild[];
      readonly leftOut: readonly LeftOutBuild[];
    }
  | {
      readonly tag: string;
      readonly kind: "language-runner";
      readonly version: string;
      readonly environment: RunnerEnvironment;
      readonly imageTags: readonly string[];
      readonly registries: readonly string[];
      readonly targets: readonly RunnerTarget[];
    }
  | { readonly tag: string; readonly kind: "wrong"; readonly fault: string; readonly mend: string };

/** Where the images of jobs go, and what goes into them. */
export interface JobRunners {
  readonly registries: readonly string[];
  readonly versions: JobVersions;
}

/** What each Git tag would release. A wrong one takes a place of its own, so that all can be said at once. Pure. */
export function tagPlans(tags: readonly string[], registries: RunnerRegistries, jobs: JobRunners): readonly TagPlan[] {
  return tags.map((tag) => {
    try {
      return tagPlan(tag, registries, jobs);
    } catch (error) {
      if (!(error instanceof KilnError)) throw error;
      const fault = error.message.replace(/^.*? is no (release tag|tag of a language runner): /s, "");
      return { tag, kind: "wrong", fault, mend: error.mend ?? "" };
    }
  });
}

function tagPlan(tag: string, registries: RunnerRegistries, jobs: JobRunners): TagPlan {
  const { kind, release } = parseGitTag(tag);
  const version = release.version.text;
  if (kind !== "language-runner") {
    const imageTags = release.version.prerelease.length > 0 ? [release.imageTag] : [release.imageTag, "latest"];
    if (kind === "iac-runner") return { tag, kind, version, imageTags };
    const { builds, leftOut } = jobBuilds(jobs.versions);
    const targets = jobTargets(jobs.registries, [...new Set(builds.map(({ image }) => image))]);
    return { tag, kind, version, imageTags, registries: jobs.registries, targets, builds, leftOut };
  }
  const { environment, targets } = runnerRelease(release, { registries });
  const imageTags = [...new Set(targets.map(({ imageTag }) => imageTag))];
  return { tag, kind, version, environment, imageTags, registries: registries[environment], targets };
}
