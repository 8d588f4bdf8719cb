import type * as pulumi from "@pulumi/pulumi";
import { readJobVersions, type JobImageName } from "../../execution/job/image-versions.ts";
import { givenFields } from "../../runners/given-fields.ts";
import type { Recipe, Settings } from "../../settings.ts";
import { ImageRepository } from "../image-repository.ts";
import { JobImage } from "../job-image.ts";
import { LanguageImage } from "../language-image.ts";
import { RunnerImage } from "../runner-image.ts";

/** Images by their names, each as `repository@sha256:…`. */
type Images = Readonly<Record<string, pulumi.Output<string>>>;

/** The stack's IaC runner image, with the repository that it is pushed to. */
export function iacRunner(settings: Settings, recipe: Recipe): RunnerImage {
  const { registry } = settings;
  const repository = new ImageRepository("images", { registry }).url;
  return new RunnerImage("iac-runner", { ...common(settings), repository, recipe });
}

/** The language runners that the stack builds for itself. */
export function ownLanguageImages(settings: Settings): Images {
  const { registry } = settings;
  const made = Object.entries(settings.languageImages).map(([name, own]) => {
    const at = `language-${name}` as const;
    const repository = new ImageRepository(`${at}-images`, { registry, image: at }).url;
    return [name, new LanguageImage(at, { ...common(settings), ...own, repository }).image] as const;
  });
  return Object.fromEntries(made);
}

/** The images for jobs that the stack builds for itself, by the versions in `project`. */
export async function ownJobImages(settings: Settings, project: string): Promise<Images> {
  const { registry } = settings;
  const chosen = Object.entries(settings.jobImages);
  if (chosen.length === 0) return {};
  const versions = await readJobVersions(project);
  const made = chosen.map(([name, { powershell, ...given }]) => {
    const [image, at] = [name as JobImageName, `job-${name}` as const];
    const repository = new ImageRepository(`${at}-images`, { registry, image: at }).url;
    const args = { ...common(settings), ...givenFields(given), image, versions, repository };
    return [name, new JobImage(at, { ...args, withoutPowerShell: !powershell }).reference] as const;
  });
  return Object.fromEntries(made);
}

/** What every image of a stack is built with. */
function common({ image: { tag, platform }, buildOnPreview }: Settings) {
  return { tag, platform, buildOnPreview };
}
