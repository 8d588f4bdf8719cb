import * as pulumi from "@pulumi/pulumi";
import { givenFields } from "../../runners/given-fields.ts";
import { preflight, type Preflight } from "../../runners/preflight.ts";
import { githubHostOf, githubRequestOf, readPackages, remainingSteps } from "../../runners/github/stack-github.ts";
import { recordedRelease } from "../../runners/upkeep/recorded-release.ts";
import type { Settings } from "../../settings.ts";
import { toolVersions } from "../../toolchain/pins.ts";
import { ActionsRunnerImage } from "../actions-runner-image.ts";
import { GithubAccess } from "../github-access.ts";
import { githubProvider } from "../github-provider.ts";
import { ImageRepository } from "../image-repository.ts";
import { Runners } from "../runners.ts";

/**
 * What the stack's runners will be, known before the first resource; nothing for a stack that has none. Tells the person at the
 * terminal what to know and what is left to do by hand.
 */
export async function runnersPlan(settings: Settings): Promise<Preflight | undefined> {
  const planned = await preflight(settings, {
    preview: pulumi.runtime.isDryRun(),
    goVersion: toolVersions.go,
    now: new Date(),
    recordedRelease,
    env: process.env,
  });
  const steps = remainingSteps(settings, await readPackages(settings, process.env));
  for (const note of [...(planned?.notes ?? []), ...steps]) void pulumi.log.info(note);
  for (const warning of planned?.warnings ?? []) void pulumi.log.warn(warning);
  return planned;
}

/** The stack's GitHub side; nothing where it is kept by hand. */
export function githubAccess(settings: Settings): GithubAccess | undefined {
  const request = githubRequestOf(settings);
  if (request === undefined) return undefined;
  const provider = githubProvider("github", { owner: request.owner, host: githubHostOf(settings) });
  return new GithubAccess("github", request, { provider });
}

/** The stack's own runners, in the groups that GitHub has for them; nothing for a stack that has none. */
export function stackRunners(
  settings: Settings,
  plan: Preflight | undefined,
  access: GithubAccess | undefined,
): Runners | undefined {
  const { runners } = settings;
  if (runners === undefined || plan === undefined) return undefined;
  const runnerGroups = access?.runnerGroups ?? {};
  return new Runners("runners", { settings: runners, preflight: plan, image: actionsRunner(settings), runnerGroups });
}

/** What runner pods run: an image that was made elsewhere, or one that this stack builds. */
function actionsRunner({ registry, image, buildOnPreview, runners }: Settings): pulumi.Input<string> {
  const { image: given, base, tools, certificates, release } = runners?.actionsRunner ?? {};
  if (given !== undefined) return given;
  const own = new ImageRepository("actions-runner-images", { registry, image: "actions-runner" });
  return new ActionsRunnerImage("actions-runner", {
    repository: own.url,
    tag: image.tag,
    platform: image.platform,
    release,
    buildOnPreview,
    ...givenFields({ base, tools, certificates }),
  }).image;
}
