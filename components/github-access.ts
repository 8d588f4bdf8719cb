import * as github from "@pulumi/github";
import * as pulumi from "@pulumi/pulumi";
import { tagRules } from "../release/tag-rules.ts";
import { offers } from "../runners/github/plan.ts";
import {
  githubWarnings,
  requireGithubRequest,
  type EnvironmentRequest,
  type GithubRequest,
  type RunnerGroupRequest,
} from "../runners/github/request.ts";
import { configSecret } from "./config-secret.ts";

export type GithubAccessArgs = GithubRequest;

/**
 * The GitHub side of a stack: runner groups, deployment environments, Actions variables and secrets, rules for release
 * tags. What the owner's plan does not offer is left out, and preview says so.
 */
export class GithubAccess extends pulumi.ComponentResource {
  /** The names of the runner groups, by name: known once GitHub has the group, so that a scale set waits for it. */
  readonly runnerGroups: Readonly<Record<string, pulumi.Output<string>>>;
  /** The environments that were made. */
  readonly environments: readonly string[];
  readonly #name: string;
  readonly #args: GithubAccessArgs;

  constructor(name: string, args: GithubAccessArgs, opts?: pulumi.ComponentResourceOptions) {
    requireGithubRequest(args);
    super("kiln:github:GithubAccess", name, args, opts);
    this.#name = name;
    this.#args = args;
    for (const warning of githubWarnings(args)) void pulumi.log.warn(warning, this);
    this.runnerGroups = this.#runnerGroups();
    this.environments = this.#environments();
    this.#variables();
    this.#secrets();
    this.#tagRules();
    this.registerOutputs({ runnerGroups: this.runnerGroups, environments: this.environments });
  }

  #runnerGroups(): Readonly<Record<string, pulumi.Output<string>>> {
    const requested = Object.entries(this.#args.runnerGroups);
    if (requested.length === 0) return {};
    const repositories = this.#repositoryIds();
    return Object.fromEntries(requested.map(([name, group]) => [name, this.#runnerGroup(name, group, repositories)]));
  }

  #runnerGroup(name: string, group: RunnerGroupRequest, repositories: pulumi.Input<number[]>): pulumi.Output<string> {
    const restricted = group.workflow !== undefined && offers(this.#args, "workflowRestriction");
    const resource = new github.ActionsRunnerGroup(
      `${this.#name}-group-${name}`,
      {
        name,
        visibility: "selected",
        selectedRepositoryIds: repositories,
        // A fork's pull request runs the fork's code, in the cluster.
        allowsPublicRepositories: false,
        restrictedToWorkflows: restricted,
        ...(restricted ? { selectedWorkflows: [group.workflow] } : {}),
      },
      { parent: this },
    );
    return resource.name;
  }

  /** Ids that are given need no network at a preview; a look-up asks GitHub. */
  #repositoryIds(): pulumi.Input<number[]> {
    const { repositoryIds, owner, repository } = this.#args;
    if (repositoryIds.length > 0) return [...repositoryIds].sort((a, b) => a - b);
    const found = github.getRepositoryOutput({ fullName: `${owner}/${repository}` }, { parent: this });
    return found.repoId.apply((id) => [id]);
  }

  #environments(): readonly string[] {
    if (!offers(this.#args, "environments")) return [];
    return Object.entries(this.#args.environments).map(([environment, request]) => {
      this.#environment(environment, request);
      return environment;
    });
  }

  #environment(environment: string, request: EnvironmentRequest): void {
    const { repository } = this.#args;
    const name = `${this.#name}-environment-${environment}`;
    const resource = new github.RepositoryEnvironment(
      name,
      { repository, environment, ...this.#protections(request), ...branchPolicy(request) },
      { parent: this },
    );
    const place = { repository, environment: resource.environment };
    for (const pattern of request.branches) {
      new github.RepositoryEnvironmentDeploymentPolicy(
        `${name}-from-${pattern}`,
        { ...place, ...patternOf(pattern) },
        { parent: this },
      );
    }
    for (const [variable, value] of Object.entries(request.variables)) {
      const variableName = variable.toUpperCase();
      new github.ActionsEnvironmentVariable(
        `${name}-variable-${variableName}`,
        { ...place, variableName, value },
        { parent: this },
      );
    }
    for (const [secret, key] of Object.entries(request.secrets)) {
      const secretName = secret.toUpperCase();
      new github.ActionsEnvironmentSecret(
        `${name}-secret-${secretName}`,
        { ...place, secretName, value: configSecret(key) },
        { parent: this },
      );
    }
  }

  /** GitHub refuses even the defaults of these where the plan does not offer them, so each is given only if it is wanted. */
  #protections({ reviewers, waitMinutes }: EnvironmentRequest): Partial<github.RepositoryEnvironmentArgs> {
    const teams = [...reviewers.teams];
    const users = [...reviewers.users];
    const reviewed = teams.length + users.length > 0 && offers(this.#args, "reviewers");
    const waits = waitMinutes > 0 && offers(this.#args, "waitTimer");
    return {
      ...(reviewed ? { reviewers: [{ teams, users }] } : {}),
      ...(waits ? { waitTimer: waitMinutes } : {}),
      ...(reviewed || waits ? { canAdminsBypass: false } : {}),
    };
  }

  #variables(): void {
    const { repository, variables } = this.#args;
    for (const [variable, value] of Object.entries(variables)) {
      const variableName = variable.toUpperCase();
      new github.ActionsVariable(
        `${this.#name}-variable-${variableName}`,
        { repository, variableName, value },
        { parent: this },
      );
    }
  }

  #secrets(): void {
    const { repository, secrets } = this.#args;
    for (const [secret, key] of Object.entries(secrets)) {
      const secretName = secret.toUpperCase();
      new github.ActionsSecret(
        `${this.#name}-secret-${secretName}`,
        { repository, secretName, value: configSecret(key) },
        { parent: this },
      );
    }
  }

  #tagRules(): void {
    const { repository, tagRules: requested } = this.#args;
    if (requested === undefined || !offers(this.#args, "tagRules")) return;
    const { releaseAppId } = requested;
    for (const { key, name, patterns, forbids, exempt } of tagRules({ releaseApp: releaseAppId !== undefined })) {
      new github.RepositoryRuleset(
        `${this.#name}-tags-${key}`,
        {
          repository,
          name,
          target: "tag",
          enforcement: "active",
          conditions: { refName: { includes: [...patterns], excludes: [] } },
          rules: Object.fromEntries(forbids.map((rule) => [rule, true])),
          ...(exempt === "release app" && releaseAppId !== undefined
            ? { bypassActors: [{ actorType: "Integration", actorId: releaseAppId, bypassMode: "always" }] }
            : {}),
        },
        { parent: this },
      );
    }
  }
}

/** Only the branches and tags of the list may deploy; without one, any may. */
function branchPolicy({ branches }: EnvironmentRequest): Partial<github.RepositoryEnvironmentArgs> {
  if (branches.length === 0) return {};
  return { deploymentBranchPolicy: { protectedBranches: false, customBranchPolicies: true } };
}

function patternOf(pattern: string): { tagPattern: string } | { branchPattern: string } {
  const tag = /^refs\/tags\/(.+)$/.exec(pattern)?.[1];
  return tag === undefined ? { branchPattern: pattern.replace(/^refs\/heads\//, "") } : { tagPattern: tag };
}
