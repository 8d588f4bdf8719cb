import { EXIT, KilnError } from "../../errors.ts";
import { catalogue } from "../../execution/language/catalogue.ts";
import { readJobVersions } from "../../execution/job/image-versions.ts";
import { leftOutText } from "../../release/job-builds.ts";
import { RUNNER_LANGUAGES, type RunnerRegistries } from "../../release/runner-image.ts";
import { readRunnerRegistries, withRegistries } from "../../release/runner-registries.ts";
import { givenJobRegistries, JOB_REGISTRIES_FILE, readJobRegistries } from "../../release/job-registries.ts";
import { buildMatrix, runnerMatrix } from "../../release/runner-matrix.ts";
import { addressFaults, readinessFaults } from "../../release/runner-readiness.ts";
import { tagPlans, type TagPlan } from "../../release/tag-plan.ts";
import { places } from "../../toolchain/places.ts";
import type { Command, Invocation } from "../command.ts";
import { noArguments, repeated } from "../options.ts";
import { table } from "../printer.ts";

/** The option that names other registries than the file, of every command that releases language runners. */
export const REGISTRY_OPTION = { registry: { type: "string", multiple: true } } as const;
export const REGISTRY_HELP = {
  registry:
    "production=ADDRESS or preproduction=ADDRESS, in place of images/pulumi-runner/registries.json; repeat it for mirrors",
};

/** The same of every command that releases job runners, which have one environment. */
export const JOB_REGISTRY_HELP = { registry: `ADDRESS, in place of ${JOB_REGISTRIES_FILE}; repeat it for mirrors` };

/** `kiln release plan`: what tags would release, wrong ones among them. */
export const releasePlanCommand: Command = {
  name: "release plan",
  summary: "Show what Git tags release, where, and under which image tags. Exit code 2 where one is wrong.",
  usage: "--tag TAG… [--registry [ENVIRONMENT=]ADDRESS]… [--matrix] [--require-ready]",
  options: {
    tag: { type: "string", multiple: true },
    ...REGISTRY_OPTION,
    matrix: { type: "boolean" },
    "require-ready": { type: "boolean" },
  },
  help: {
    tag: "a Git tag, pushed or not; repeat it for several",
    registry: `${REGISTRY_HELP.registry}; ADDRESS alone in place of ${JOB_REGISTRIES_FILE}`,
    matrix:
      'print {"include":[{"language":…,"variant":…,"platform":…,"runs_on":…}]} for a GitHub Actions matrix; "image" of job runners',
    "require-ready":
      "end with 2 where a release would end after its builds: registries that are examples, a base without digest",
  },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const tags = repeated(values, "tag");
    if (tags.length === 0) throw new KilnError("usage", "--tag is missing", { mend: "See --help." });
    const [forJobs, forLanguages] = [false, true].map((named) =>
      repeated(values, "registry").filter((text) => text.includes("=") === named),
    );
    const registries = await registriesOf({ registry: forLanguages });
    const versions = await readJobVersions(places().project);
    const jobs = { registries: await jobRegistriesOf({ registry: forJobs }), versions };
    const plans = tagPlans(tags, registries, jobs);
    const faults = new Map(plans.flatMap(faultsOf).map((fault) => [fault.message, fault]));
    for (const fault of faults.values()) {
      if (values["require-ready"] === true) throw fault;
      progress.note(`no release yet: ${fault.message}. ${fault.mend ?? ""}`);
    }
    const exitCode = plans.some(({ kind }) => kind === "wrong") ? EXIT.usage : EXIT.done;
    if (values.matrix !== true) return { json: { plans }, text: tagPlansText(plans), exitCode };
    const matrix = matrixOf(plans);
    for (const line of plans.flatMap(leftOutLines)) progress.note(line);
    return { json: matrix, text: JSON.stringify(matrix) };
  },
};

/** The registries of the file, with those that `--registry` names in their place. */
export async function registriesOf(values: Invocation["values"]): Promise<RunnerRegistries> {
  return withRegistries(await readRunnerRegistries(places().project), repeated(values, "registry"));
}

/** The registries of job runners: those of the file, or those that `--registry` names in their place. */
export async function jobRegistriesOf(values: Invocation["values"]): Promise<readonly string[]> {
  return givenJobRegistries(await readJobRegistries(places().project), repeated(values, "registry"));
}

/** What a release by this plan would fail at once everything is built. */
function faultsOf(plan: TagPlan): readonly KilnError[] {
  if (plan.kind === "job-runner") return addressFaults({ repositories: plan.registries });
  if (plan.kind !== "language-runner") return [];
  return readinessFaults({ repositories: plan.registries }, { baseDigest: catalogue.base.digest });
}

function matrixOf(plans: readonly TagPlan[]) {
  const [plan, another] = plans;
  if (another === undefined && plan?.kind === "language-runner") return runnerMatrix(plan.targets);
  if (another === undefined && plan?.kind === "job-runner") {
    return buildMatrix(plan.builds);
  }
  const why = plan?.kind === "wrong" ? plan.fault : "a matrix is for one tag of language or job runners";
  throw new KilnError("usage", `${plan?.tag ?? ""}: ${why}`, { mend: "Give one --tag such as v1.2.3." });
}

/** The plans in lines for a person: a row a tag, and for a single tag of language runners a row an image. */
export function tagPlansText(plans: readonly TagPlan[]): string {
  const rows = plans.map((plan) => [shown(plan.tag), ...cells(plan)]);
  const text = table([["tag", "version", "releases", "image tags", "to"], ...rows]);
  const wrong = plans.filter(({ kind }) => kind === "wrong").length;
  const [plan] = plans;
  const detail = plans.length === 1 && plan !== undefined ? targetsText(plan) : "";
  return `${text}${detail}${plans.length === 1 && wrong === 0 ? "" : `\n${plans.length - wrong} of ${plans.length} tags release something`}`;
}

function cells(plan: TagPlan): readonly string[] {
  if (plan.kind === "wrong") return ["", "wrong", "", plan.fault];
  const tags = plan.imageTags.join(" ");
  if (plan.kind === "iac-runner") return [plan.version, `${plan.kind} image`, tags, "the registry of the stack"];
  if (plan.kind === "job-runner") {
    return [plan.version, `${plan.targets.length} images of jobs`, tags, plan.registries.join(" ")];
  }
  const images = `${RUNNER_LANGUAGES.length} languages, ${plan.targets.length} images`;
  return [plan.version, images, tags, `${plan.environment}: ${plan.registries.join(" ")}`];
}

/** A row an image, below an empty line; nothing for what is one image. */
function targetsText(plan: TagPlan): string {
  if (plan.kind === "language-runner") {
    const rows = plan.targets.map(({ language, variant, imageTag, repositories }) => [
      ...[language, variant],
      ...placesOf(repositories, imageTag),
    ]);
    return `\n\n${table([["language", "variant", "image", "mirrors"], ...rows])}`;
  }
  if (plan.kind !== "job-runner") return "";
  const [imageTag = ""] = plan.imageTags;
  const rows = plan.targets.map(({ image, repositories }) => [image, ...placesOf(repositories, imageTag)]);
  const leftOut = leftOutLines(plan).map((line) => `\n${line}`);
  return `\n\n${table([["image", "pushed to", "mirrors"], ...rows])}${leftOut.length > 0 ? `\n${leftOut.join("")}` : ""}`;
}

/** What a release of job runners does not build, and why. */
function leftOutLines(plan: TagPlan): readonly string[] {
  return plan.kind === "job-runner" ? plan.leftOut.map(leftOutText) : [];
}

function placesOf([repository, ...mirrors]: readonly [string, ...string[]], imageTag: string): readonly string[] {
  return [`${repository}:${imageTag}`, mirrors.map((mirror) => `${mirror}:${imageTag}`).join(" ")];
}

/** A tag on one line, its blanks visible. */
function shown(tag: string): string {
  return /^[\x21-\x7e]+$/.test(tag) ? (tag.length > 40 ? `${tag.slice(0, 37)}…` : tag) : JSON.stringify(tag);
}
