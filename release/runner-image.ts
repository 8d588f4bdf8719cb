import type { Version } from "./version.ts";
import type { RunnerEnvironment, RunnerTag } from "./runner-tag.ts";

/** Languages that have a runner image, as the images are called: part of published names, so these never change. */
export const RUNNER_LANGUAGES = ["dotnet", "golang", "java", "javascript", "python", "yaml"] as const;

export type RunnerLanguage = (typeof RUNNER_LANGUAGES)[number];

/** `slim` has Pulumi and the language; `tools` adds Git, SSH, kubectl and the like. */
export const RUNNER_VARIANTS = ["slim", "tools"] as const;

export type RunnerVariant = (typeof RUNNER_VARIANTS)[number];

/** Where images of each environment are pushed: the first is the registry, the others mirror it. */
export type RunnerRegistries = Readonly<Record<RunnerEnvironment, readonly string[]>>;

/** One image of a release. */
export interface RunnerTarget {
  readonly language: RunnerLanguage;
  readonly variant: RunnerVariant;
  /** The moving tag: `v3.253.0`, `latest`, and with `-tools` those of the variant. */
  readonly imageTag: string;
  /** Without a tag; the image is pushed to the first, and copied to the others by digest. */
  readonly repositories: readonly [string, ...string[]];
}

/** What a Git tag releases. */
export interface RunnerRelease extends RunnerTag {
  readonly targets: readonly RunnerTarget[];
}

/** The name of a language's images below every registry: `runner-pulumi-golang`. */
export function runnerName(language: RunnerLanguage): string {
  return `runner-pulumi-${language}`;
}

/** What a tag releases to which repositories, by language and then variant. Pure. */
export function runnerRelease(
  tag: RunnerTag,
  options: {
    readonly registries: RunnerRegistries;
    readonly languages?: readonly RunnerLanguage[];
    readonly variants?: readonly RunnerVariant[];
  },
): RunnerRelease {
  const { languages = RUNNER_LANGUAGES, variants = RUNNER_VARIANTS } = options;
  const [registry, ...mirrors] = options.registries[tag.environment];
  if (registry === undefined) return { ...tag, targets: [] };
  const targets = languages.flatMap((language) =>
    variants.map((variant): RunnerTarget => {
      const below = (address: string) => `${address}/${runnerName(language)}`;
      const imageTag = `${tag.imageTag}${endingOf(variant)}`;
      return { language, variant, imageTag, repositories: [below(registry), ...mirrors.map(below)] };
    }),
  );
  return { ...tag, targets };
}

/**
 * The tag that names one build for ever: `v3.253.0-0123456789ab`, by the digest of the image or index. The same bytes have
 * the same tag, whenever and wherever they are built; a date would give them two.
 */
export function runnerBuildTag(version: Version, variant: RunnerVariant, digest: string): string {
  return buildTag(`v${version.text}${endingOf(variant)}`, digest);
}

/** The tag that names one build for ever beside a moving or a version's tag, of whatever image. */
export function buildTag(imageTag: string, digest: string): string {
  return `${imageTag}-${digest.replace("sha256:", "").slice(0, BUILD_DIGITS)}`;
}

const BUILD_DIGITS = 12;

function endingOf(variant: RunnerVariant): string {
  return variant === "slim" ? "" : `-${variant}`;
}
