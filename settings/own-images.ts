import { JOB_IMAGES, type JobImageName } from "../execution/job/image-versions.ts";
import { catalogue } from "../execution/language/catalogue.ts";
import { isOwnImageName, type OwnImageName } from "../registry/repository-names.ts";
import { RUNNER_LANGUAGES, RUNNER_VARIANTS, type RunnerLanguage, type RunnerVariant } from "../release/runner-image.ts";
import { DEFAULT_BASE_IMAGE } from "../toolchain/pins.ts";
import { choiceOf, countOf, flagOf, listOf, mapOf, objectOf, refusal, section, textOf, type Field } from "./field.ts";
import { imageReferenceOf } from "./image-reference.ts";

/** A Pulumi language runner that a stack builds for itself. */
export interface LanguageImageSettings {
  readonly language: RunnerLanguage;
  readonly variant: RunnerVariant;
  /** Clouds whose command-line tools go in. */
  readonly clouds: readonly string[];
  /** In place of the catalogue's user. */
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  /** In place of the catalogue's base. */
  readonly base: string | undefined;
  /** An image with `/ca.crt`, which the build's downloads trust; in no layer. */
  readonly certificates: string | undefined;
}

/** An image for jobs that a stack builds for itself. */
export interface JobImageSettings {
  /** In place of the public base of the list of versions. */
  readonly base: string | undefined;
  /** An image that has the entrypoint; it is compiled in the build otherwise. */
  readonly entrypoint: string | undefined;
  readonly certificates: string | undefined;
  /** Whether PowerShell is in it. */
  readonly powershell: boolean;
}

/** The images that a stack builds beside its IaC runner, by their names. */
export interface OwnImages {
  readonly languageImages: Readonly<Record<string, LanguageImageSettings>>;
  readonly jobImages: Readonly<Partial<Record<JobImageName, JobImageSettings>>>;
}

const LANGUAGE_IMAGE = ["language", "variant", "clouds", "uid", "gid", "base", "certificates"] as const;
const JOB_IMAGE = ["base", "entrypoint", "certificates", "powershell"] as const;

/** The language runners of a stack. Throws a usage error that names the key. */
export function languageImagesOf(field: Field): OwnImages["languageImages"] {
  return mapOf(field, languageImageOf, {
    pattern: { test: (name) => isOwnImageName(`language-${name}`) },
    mend: "Use lower-case letters, digits and single dashes: it becomes a part of the image's name",
  });
}

/** The images for jobs of a stack. Throws a usage error that names the key. */
export function jobImagesOf(field: Field): OwnImages["jobImages"] {
  const named = section(field, JOB_IMAGES);
  const chosen = JOB_IMAGES.filter((name) => name in objectOf(field));
  return Object.freeze(Object.fromEntries(chosen.map((name) => [name, jobImageOf(named(name))])));
}

/** The names of those images below the stack's registry. */
export function ownImageNames({ languageImages, jobImages }: OwnImages): readonly OwnImageName[] {
  return [
    ...Object.keys(languageImages).map((name) => `language-${name}` as const),
    ...Object.keys(jobImages).map((name) => `job-${name}` as const),
  ];
}

function languageImageOf(field: Field): LanguageImageSettings {
  const image = section(field, LANGUAGE_IMAGE);
  const name = field.key.split(".").at(-1);
  const named = RUNNER_LANGUAGES.find((language) => language === name);
  if (named === undefined && textOf(image("language")) === undefined) {
    throw refusal(image("language"), "is not set", { mend: `Set it to ${RUNNER_LANGUAGES.join(" or ")}` });
  }
  const variant = choiceOf(image("variant"), RUNNER_VARIANTS, "slim");
  const clouds = listOf(image("clouds"), (item) => choiceOf(item, Object.keys(catalogue.clouds), ""));
  if (clouds.length > 0 && variant !== "tools") {
    throw refusal(image("clouds"), `is set, and a ${variant} image has no tools`, { mend: "Set variant to tools" });
  }
  return Object.freeze({
    language: choiceOf(image("language"), RUNNER_LANGUAGES, named ?? "golang"),
    variant,
    clouds: [...new Set(clouds)].sort(),
    uid: countOf(image("uid"), 1),
    gid: countOf(image("gid")),
    base: imageReferenceOf(image("base"), DEFAULT_BASE_IMAGE),
    certificates: imageReferenceOf(image("certificates"), "registry.example.com/company-ca:1"),
  });
}

function jobImageOf(field: Field): JobImageSettings {
  const image = section(field, JOB_IMAGE);
  return Object.freeze({
    base: imageReferenceOf(image("base"), DEFAULT_BASE_IMAGE),
    entrypoint: imageReferenceOf(image("entrypoint"), "registry.example.com/kiln-entrypoint:1"),
    certificates: imageReferenceOf(image("certificates"), "registry.example.com/company-ca:1"),
    powershell: flagOf(image("powershell"), true),
  });
}
