import { KilnError } from "../errors.ts";
import { JOB_IMAGES, type JobImageName } from "../execution/job/image-versions.ts";
import { buildTag } from "./runner-image.ts";
import type { ReleasedImage } from "./runner-publish.ts";
import { parseVersionTag, type VersionTag } from "./version-tag.ts";

/** What every Git tag of the job runners begins with; their version follows (contracts: Tags). */
export const JOB_RUNNER_TAG = "job-runner-v";

/** One image of a release of the job runners. */
export interface JobTarget {
  readonly image: JobImageName;
  /** Without a tag; the image is pushed to the first, and copied to the others by digest. */
  readonly repositories: readonly [string, ...string[]];
}

/** The name of an image below every registry: `job-runner-base`. Part of published names, so it never changes. */
export function jobRunnerName(image: JobImageName): string {
  return `job-runner-${image}`;
}

/** The release that a Git tag stands for. Throws a usage error that says what is wrong with any other text. */
export function parseJobTag(text: string): VersionTag {
  return parseVersionTag(text, JOB_RUNNER_TAG);
}

/** The images of a release below some registries; none where no registry is named. Pure. */
export function jobTargets(
  registries: readonly string[],
  images: readonly JobImageName[] = JOB_IMAGES,
): readonly JobTarget[] {
  const [registry, ...mirrors] = registries;
  if (registry === undefined) return [];
  return images.map((image) => {
    const below = (address: string) => `${address}/${jobRunnerName(image)}`;
    return { image, repositories: [below(registry), ...mirrors.map(below)] };
  });
}

/** An image as it is released under the tag of its version. Pure. */
export function releasedJobImage({ tag, version, imageTag }: VersionTag, target: JobTarget): ReleasedImage {
  const { image, repositories } = target;
  return {
    ...{ tag, version, imageTag, repositories, channel: "version", pushedBy: "kiln job image push" },
    buildTag: (digest) => buildTag(imageTag, digest),
    requireLabels: (name, labels, isAtHome) => {
      requireJobLabels(name, labels, { version: version.text, image, isAtHome });
    },
  };
}

/** Refuses an image that is none of a release's target, or that lacks PowerShell and would leave the machine. Pure. */
export function requireJobLabels(
  name: string,
  labels: Readonly<Record<string, string>>,
  wanted: { readonly version: string; readonly image: JobImageName; readonly isAtHome: boolean },
): void {
  const expected = { "org.opencontainers.image.version": wanted.version, "dev.kiln.job.image": wanted.image };
  for (const [label, value] of Object.entries(expected)) {
    if (labels[label] === value) continue;
    throw new KilnError("usage", `${name} has ${labels[label] ?? "nothing"} as its ${label}, not ${value}`, {
      mend: "Build the image at this tag: `kiln job image build`; its version stands in images/job-runner/versions.json.",
    });
  }
  if (wanted.isAtHome || labels["dev.kiln.job.powershell"] === "download-powershell") return;
  throw new KilnError("usage", `${name} was built without PowerShell: it does not leave this machine`, {
    mend: "Build it where the releases of PowerShell can be reached.",
  });
}
