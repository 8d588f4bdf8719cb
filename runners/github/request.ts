import { KilnError } from "../../errors.ts";
import { areReleaseTags } from "../../release/tag-rules.ts";
import type { ConfigUrl } from "../scale-set/config-url.ts";
import { offers, planGaps, type PlannedRepository, type Protection } from "./plan.ts";
import { parseWorkflowReference } from "./workflow-reference.ts";

/** The GitHub side of a stack. Names and numbers only: a secret stands in the configuration, and its key stands here. */
export interface GithubRequest extends PlannedRepository {
  /** Numeric ids of the repositories that may use the runner groups; when empty, the stack's own is looked up. */
  readonly repositoryIds: readonly number[];
  /** By the name of the group. */
  readonly runnerGroups: Readonly<Record<string, RunnerGroupRequest>>;
  readonly environments: Readonly<Record<string, EnvironmentRequest>>;
  readonly variables: Readonly<Record<string, string>>;
  /** Actions secrets: name to configuration key, such as `kiln:releaseKey`. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly tagRules: { readonly releaseAppId: number | undefined } | undefined;
}

export interface RunnerGroupRequest {
  readonly trust: "trusted" | "untrusted";
  /** Where its runners register. */
  readonly url: ConfigUrl;
  /** The reusable workflow that alone may use a trusted group. */
  readonly workflow: string | undefined;
  /** The key path where it is written. */
  readonly at: string;
}

export interface EnvironmentRequest {
  /** Numeric ids: one of them has to approve each deployment. */
  readonly reviewers: { readonly teams: readonly number[]; readonly users: readonly number[] };
  readonly waitMinutes: number;
  /** Branches such as `main`, and tags as `refs/tags/v*`, that may deploy; any when empty. */
  readonly branches: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
}

/** GitHub's limits (docs: actions/reference/workflows-and-actions/deployments-and-environments, rest/deployments/environments). */
const MAX_REVIEWERS = 6;
const MAX_WAIT_MINUTES = 30 * 24 * 60;

/** Throws a usage error where GitHub would refuse the request, or would take it and leave the runners without work. */
export function requireGithubRequest(request: GithubRequest): void {
  for (const [name, group] of Object.entries(request.runnerGroups)) requireRunnerGroup(name, group, request);
  for (const [name, environment] of Object.entries(request.environments)) {
    requireEnvironment(`environment ${name}`, environment);
    requireDistinct(environment, `environment ${name}`);
  }
  requireDistinct(request, `${request.owner}/${request.repository}`);
}

/** What preview says: each protection that is asked for and not had, with what happens instead. */
export function githubWarnings(request: GithubRequest): readonly string[] {
  const open = Object.entries(request.runnerGroups)
    .filter(([, { trust, workflow }]) => trust === "trusted" && workflow === undefined)
    .map(
      ([name, { at }]) =>
        `runner group ${name} is restricted to no workflow: every workflow of its repositories, from any branch, can use ` +
        `the trusted runners. Name one in ${at}.workflow`,
    );
  const unreleased =
    request.tagRules !== undefined && request.tagRules.releaseAppId === undefined && offers(request, "tagRules")
      ? [
          "no release App is named: whoever can push can make release tags, delete them and push them again. Set " +
            "tagRules.releaseAppId",
        ]
      : [];
  const gaps = planGaps(request, askedProtections(request)).map(({ message }) => message);
  return [...gaps, ...open, ...unreleased, ...openEnvironments(request)];
}

/**
 * A line for each environment that a tag opens which anybody who can push may make. On a tag GitHub takes the workflow file from the
 * tag's own commit, so no job of ours can refuse it.
 */
function openEnvironments(request: GithubRequest): readonly string[] {
  if (!offers(request, "environments")) return [];
  const isGuarded = (tag: string) =>
    request.tagRules?.releaseAppId !== undefined && offers(request, "tagRules") && areReleaseTags(tag);
  return Object.entries(request.environments).flatMap(([name, { branches, reviewers }]) => {
    const isReviewed = reviewers.teams.length + reviewers.users.length > 0 && offers(request, "reviewers");
    const tags = branches.filter((branch) => branch.startsWith("refs/tags/") && !isGuarded(branch));
    if (isReviewed || tags.length === 0) return [];
    return [
      `environment ${name} admits ${tags.join(", ")}: whoever can push can make such a tag, with a workflow of their own at its ` +
        "commit, and have what the environment's secrets and identities allow. Name its reviewers, or in tagRules.releaseAppId the " +
        "App that alone makes release tags (for tags of the rules' patterns), unless another stack of the repository does",
    ];
  });
}

/** The protections that a request asks for. */
export function askedProtections(request: GithubRequest): readonly Protection[] {
  const environments = Object.values(request.environments);
  const groups = Object.values(request.runnerGroups);
  const asked: readonly (readonly [Protection, boolean])[] = [
    ["internalVisibility", request.visibility === "internal"],
    ["environments", environments.length > 0],
    ["deploymentBranches", environments.some(({ branches }) => branches.length > 0)],
    ["reviewers", environments.some(({ reviewers }) => reviewers.teams.length + reviewers.users.length > 0)],
    ["waitTimer", environments.some(({ waitMinutes }) => waitMinutes > 0)],
    ["tagRules", request.tagRules !== undefined],
    ["workflowRestriction", groups.some(({ trust, workflow }) => trust === "trusted" && workflow !== undefined)],
  ];
  return asked.filter(([, wanted]) => wanted).map(([protection]) => protection);
}

function requireRunnerGroup(
  name: string,
  { url, workflow, trust, at }: RunnerGroupRequest,
  request: GithubRequest,
): void {
  if (url.kind !== "organization") {
    throw new KilnError(
      "usage",
      `${at}: runner group ${name} cannot be made, because ${url.url} is ${NOT_GROUPED[url.kind]}`,
      {
        mend: "Register the runners with an organization, https://github.com/<organization>, or name no group",
      },
    );
  }
  if (url.owner.toLowerCase() !== request.owner.toLowerCase()) {
    throw new KilnError(
      "usage",
      `${at}: runner group ${name} is of ${url.owner}, but this stack manages ${request.owner}`,
      {
        mend: `Make it in the stack that manages ${url.owner}, and only name it here`,
      },
    );
  }
  if (request.visibility === "public" && request.repositoryIds.length === 0) {
    throw new KilnError(
      "usage",
      `${at}: runner group ${name} admits no public repository, and ${request.owner}/${request.repository} is public: ` +
        "whoever opens a pull request there could run code in the cluster",
      {
        mend: "Name private repositories in kiln:github.repositoryIds, or let that repository use GitHub's own runners",
      },
    );
  }
  if (workflow === undefined) return;
  if (trust === "untrusted") {
    throw new KilnError(
      "usage",
      `${at}.workflow restricts the untrusted group ${name}, which pull requests could not use then`,
      {
        mend: "Remove it: what is untrusted is kept apart by its group, namespace and volumes",
      },
    );
  }
  parseWorkflowReference(workflow, url.owner, `${at}.workflow`);
}

const NOT_GROUPED = {
  repository: "a repository (or a person's), and only organizations and enterprises have groups",
  enterprise: "an enterprise, whose groups are shared with organizations in its own settings",
} as const;

function requireEnvironment(at: string, { reviewers, waitMinutes }: EnvironmentRequest): void {
  const count = reviewers.teams.length + reviewers.users.length;
  if (count > MAX_REVIEWERS) {
    throw new KilnError("usage", `${at} names ${count} reviewers, and GitHub takes ${MAX_REVIEWERS}`, {
      mend: "Name a team instead of its members",
    });
  }
  if (waitMinutes > MAX_WAIT_MINUTES) {
    throw new KilnError(
      "usage",
      `${at} waits ${waitMinutes} minutes, and GitHub takes at most ${MAX_WAIT_MINUTES}, 30 days`,
    );
  }
}

/** GitHub keeps names in upper case, so two that differ in case only would overwrite each other. */
function requireDistinct({ variables, secrets }: Pick<EnvironmentRequest, "variables" | "secrets">, at: string): void {
  for (const [what, names] of Object.entries({ variables: Object.keys(variables), secrets: Object.keys(secrets) })) {
    const seen = new Map<string, string>();
    for (const name of names) {
      const other = seen.get(name.toUpperCase());
      if (other !== undefined) {
        throw new KilnError(
          "usage",
          `the ${what} ${other} and ${name} of ${at} are one to GitHub, which ignores case`,
          {
            mend: "Remove one of them",
          },
        );
      }
      seen.set(name.toUpperCase(), name);
    }
  }
}
