import { KilnError } from "../../errors.ts";
import { imageRepository, isLoopback, warmRepository } from "../../registry/repository-names.ts";
import type { Settings } from "../../settings.ts";
import { ownImageNames } from "../../settings/own-images.ts";
import type { TenantSettings } from "../../settings/tenants.ts";
import type { GithubRequest, RunnerGroupRequest } from "./request.ts";
import { manualStepLine, manualSteps, type ManualStepsRequest } from "./manual-steps.ts";
import { apiAddress, readPackageState } from "./package-state.ts";
import { parseWorkflowReference } from "./workflow-reference.ts";

/**
 * What a stack asks of GitHub; nothing where its GitHub side is kept by hand. Throws a usage error for zones that share a
 * group.
 */
export function githubRequestOf({ github, runners }: Pick<Settings, "github" | "runners">): GithubRequest | undefined {
  if (github === undefined) return undefined;
  const groups = Object.values(runners?.tenants ?? {}).flatMap((tenant) => groupsOf(tenant, github.owner));
  const names = groups.map(([name]) => name);
  const twice = groups.find(([name], index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new KilnError("usage", `${twice[1].at}.runnerGroup is ${JSON.stringify(twice[0])}, which another zone has`, {
      mend: "Name a group of its own: zones that share one trust each other's jobs",
    });
  }
  return { ...github, runnerGroups: Object.fromEntries(groups) };
}

/** The groups that this stack makes: a tenant of another organization names groups that exist. */
function groupsOf({ url, trusted, untrusted }: TenantSettings, owner: string): [string, RunnerGroupRequest][] {
  if (url.owner.toLowerCase() !== owner.toLowerCase()) return [];
  return [trusted, untrusted].flatMap((zone): [string, RunnerGroupRequest][] => {
    if (zone?.runnerGroup === undefined) return [];
    const { runnerGroup, trust, workflow, at } = zone;
    return [[runnerGroup, { trust, url, workflow, at }]];
  });
}

/** Where the stack's GitHub is. */
export function githubHostOf({ github, runners }: Pick<Settings, "github" | "runners">): string {
  const tenants = Object.values(runners?.tenants ?? {});
  return tenants.find(({ url }) => url.owner.toLowerCase() === github?.owner.toLowerCase())?.url.host ?? "github.com";
}

/** What remains for a person to do on GitHub, a line each; nothing where the stack has no GitHub side. */
export function remainingSteps(
  { github, runners }: Pick<Settings, "github" | "runners">,
  packages: ManualStepsRequest["packages"],
): readonly string[] {
  if (github === undefined) return [];
  const tenants = Object.values(runners?.tenants ?? {});
  const own = tenants.filter(({ url }) => url.owner.toLowerCase() === github.owner.toLowerCase());
  return manualSteps({
    host: githubHostOf({ github, runners }),
    owner: github.owner,
    ownerKind: "organization",
    repository: github.repository,
    visibility: github.visibility,
    packages,
    app: own.some(({ credentials }) => credentials.kind !== "token"),
    pullRequests: own.some(({ untrusted }) => untrusted !== undefined),
    workflows: own.flatMap(({ url, trusted }) =>
      trusted.workflow === undefined
        ? []
        : [parseWorkflowReference(trusted.workflow, url.owner, `${trusted.at}.workflow`)],
    ),
  }).map(manualStepLine);
}

/**
 * The packages of the container registry that a stack pushes to, with what GitHub says of each to the token in GITHUB_TOKEN;
 * without one nobody looks.
 */
export async function readPackages(
  settings: Pick<Settings, "github" | "runners" | "registry" | "languageImages" | "jobImages">,
  { GITHUB_TOKEN: token }: NodeJS.ProcessEnv,
): Promise<ManualStepsRequest["packages"]> {
  const { github, registry } = settings;
  if (github === undefined || isLoopback(registry)) return {};
  const names = ["iac-runner", "actions-runner", ...ownImageNames(settings)] as const;
  const images = [warmRepository(registry), ...names.map((name) => imageRepository(registry, name))];
  const question = { api: apiAddress(githubHostOf(settings)), owner: github.owner, ownerKind: "organization" } as const;
  const states = images.map(async (image) => {
    const state =
      token === undefined || token === "" ? undefined : await readPackageState({ ...question, token }, image);
    return [image, state] as const;
  });
  return Object.fromEntries(await Promise.all(states));
}
