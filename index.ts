import * as pulumi from "@pulumi/pulumi";
import { ActionsRunnerImage } from "./components/actions-runner-image.ts";
import { clusterProvider } from "./components/cluster-provider.ts";
import { GithubAccess } from "./components/github-access.ts";
import { githubProvider } from "./components/github-provider.ts";
import { ImageRepository } from "./components/image-repository.ts";
import { LanguageRunnerRegistry } from "./components/language-runner-registry.ts";
import { ReleaseWatcher } from "./components/release-watcher.ts";
import { RunnerImage } from "./components/runner-image.ts";
import { Runners } from "./components/runners.ts";
import { KilnError } from "./errors.ts";
import { readRunnerRegistries } from "./release/runner-registries.ts";
import { readPolicyText } from "./release/watch/policy.ts";
import { givenFields } from "./runners/given-fields.ts";
import { preflight } from "./runners/preflight.ts";
import { githubHostOf, githubRequestOf, readPackages, remainingSteps } from "./runners/github/stack-github.ts";
import { recordedRelease } from "./runners/upkeep/recorded-release.ts";
import { parseSettings, recipeOf } from "./settings.ts";
import { toolVersions } from "./toolchain/pins.ts";

const settings = await mendable(() => parseSettings(pulumi.getStack(), ownConfig(), isEncrypted));
const recipe = await mendable(() => recipeOf(settings));
const planned = await mendable(() =>
  preflight(settings, {
    preview: pulumi.runtime.isDryRun(),
    goVersion: toolVersions.go,
    now: new Date(),
    recordedRelease,
    env: process.env,
  }),
);
const steps = await mendable(async () => remainingSteps(settings, await readPackages(settings, process.env)));
for (const note of [...(planned?.notes ?? []), ...steps]) void pulumi.log.info(note);
for (const warning of planned?.warnings ?? []) void pulumi.log.warn(warning);

const { registry, image: built, buildOnPreview, runners } = settings;
const repository = new ImageRepository("images", { registry });
const runner = new RunnerImage("iac-runner", {
  repository: repository.url,
  tag: built.tag,
  platform: built.platform,
  recipe,
  buildOnPreview,
});

const access = await mendable(() => {
  const request = githubRequestOf(settings);
  if (request === undefined) return undefined;
  const provider = githubProvider("github", { owner: request.owner, host: githubHostOf(settings) });
  return new GithubAccess("github", request, { provider });
});

const fleet = await mendable(() => {
  if (runners === undefined || planned === undefined) return undefined;
  const runnerGroups = access?.runnerGroups ?? {};
  return new Runners("runners", { settings: runners, preflight: planned, image: actionsRunner(), runnerGroups });
});

const published = await mendable(async () => {
  const { languageRunners: own } = settings;
  if (own === undefined) return undefined;
  const registries = (await readRunnerRegistries(import.meta.dirname))[own.environment];
  return new LanguageRunnerRegistry("language-runners", { ...own, registries });
});

if (settings.releaseWatcher !== undefined) {
  const { context, ...watcher } = settings.releaseWatcher;
  await mendable(async () => {
    const { preproduction } = await readRunnerRegistries(import.meta.dirname);
    const policy = await readPolicyText(import.meta.dirname);
    const provider = clusterProvider("release-watcher", { context });
    new ReleaseWatcher("release-watcher", { ...watcher, policy, preproduction: preproduction[0] ?? "" }, { provider });
  });
}

/** The runner image by digest: what a workflow, a scale set or a person pulls. */
export const image = runner.image;
/** The warm image below it: its layers are those that were verified. */
export const warmImage = runner.warmImage;
/** Where the offline check of the warm image is recorded, and the command that repeats it. */
export const verification = runner.verification;
/** What workflows write after `runs-on:`, by tenant and namespace. */
export const scaleSets = fleet?.scaleSets;
/** Where language runners are pushed, by language, and the role of the workflow that pushes them. */
export const languageRunners = published && { repositories: published.repositories, role: published.role };
/** What is inside the image. */
export { toolVersions };

/** What runner pods run: an image that was made elsewhere, or one that this stack builds. */
function actionsRunner(): pulumi.Input<string> {
  const { image: given, base, tools, certificates, release } = runners?.actionsRunner ?? {};
  if (given !== undefined) return given;
  const own = new ImageRepository("actions-runner-images", { registry, image: "actions-runner" });
  return new ActionsRunnerImage("actions-runner", {
    repository: own.url,
    tag: built.tag,
    platform: built.platform,
    release,
    buildOnPreview,
    ...givenFields({ base, tools, certificates }),
  }).image;
}

/** The stack's configuration in kiln's namespace, as Pulumi hands it to a program: in plain text. */
function ownConfig(): Readonly<Record<string, unknown>> {
  const namespace = `${pulumi.getProject()}:`;
  const own = Object.entries(pulumi.runtime.allConfig()).filter(([key]) => key.startsWith(namespace));
  return Object.fromEntries(own.map(([key, value]) => [key.slice(namespace.length), value]));
}

/** Whether a key's value is encrypted in the stack's file: the language host hands over the names of those that are. */
function isEncrypted(key: string): boolean {
  const keys: unknown = JSON.parse(process.env.PULUMI_CONFIG_SECRET_KEYS ?? "[]");
  return Array.isArray(keys) && keys.includes(key);
}

/** What a person can mend reaches the terminal as its message alone, without a stack trace. */
async function mendable<Result>(work: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof KilnError)) throw error;
    throw new pulumi.RunError([error.message, error.mend].filter(Boolean).join(". "));
  }
}
