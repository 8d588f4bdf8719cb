import * as pulumi from "@pulumi/pulumi";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { GithubAccess, type GithubAccessArgs } from "../../../components/github-access.ts";
import { parseConfigUrl } from "../../../runners/scale-set/config-url.ts";
import { recordResources, valueOf, type RecordedResource } from "../../support/mocks.ts";

const WORKFLOW = "acme/kiln/.github/workflows/bake.yml@refs/heads/main";
const URL = parseConfigUrl("https://github.com/acme", "url");

const ARGS: GithubAccessArgs = {
  owner: "acme",
  repository: "kiln",
  plan: "enterprise",
  visibility: "private",
  repositoryIds: [20, 3],
  runnerGroups: {
    "kiln-prod-trusted": { trust: "trusted", url: URL, workflow: WORKFLOW, at: "kiln:tenants.a.trusted" },
    "kiln-prod-untrusted": { trust: "untrusted", url: URL, workflow: undefined, at: "kiln:tenants.a.untrusted" },
  },
  environments: {
    prod: {
      reviewers: { teams: [5], users: [6, 7] },
      waitMinutes: 10,
      branches: ["main", "refs/tags/v*"],
      variables: { region: "eu" },
      secrets: { KUBECONFIG: "kiln:kubeconfig" },
    },
  },
  variables: { PUSH_TO: "ghcr.io/acme/kiln" },
  secrets: { RELEASE_KEY: "release:key" },
  tagRules: { releaseAppId: 4242 },
};

/** Registers the component and returns what reached the engine below it. */
async function registered(changes: Partial<GithubAccessArgs> = {}): Promise<readonly RecordedResource[]> {
  const recorded = await recordResources();
  const access = new GithubAccess("github", { ...ARGS, ...changes });
  await valueOf(pulumi.all([access.urn, access.runnerGroups]));
  // Waits for what is still being registered.
  await pulumi.runtime.disconnect();
  return recorded;
}

function named(recorded: readonly RecordedResource[], name: string): RecordedResource {
  const found = recorded.find((resource) => resource.name === name);
  if (found === undefined) throw new Error(`${name} was not registered`);
  return found;
}

beforeEach(() => {
  pulumi.runtime.setAllConfig({ "kiln:kubeconfig": "hidden-kubeconfig", "release:key": "hidden-key" }, [
    "kiln:kubeconfig",
    "release:key",
  ]);
});

describe("the GitHub side of a stack", () => {
  it("is made of these", async () => {
    const recorded = await registered();
    expect(recorded.map(({ type, name }) => `${type} ${name}`).sort()).toEqual([
      "github:index/actionsEnvironmentSecret:ActionsEnvironmentSecret github-environment-prod-secret-KUBECONFIG",
      "github:index/actionsEnvironmentVariable:ActionsEnvironmentVariable github-environment-prod-variable-REGION",
      "github:index/actionsRunnerGroup:ActionsRunnerGroup github-group-kiln-prod-trusted",
      "github:index/actionsRunnerGroup:ActionsRunnerGroup github-group-kiln-prod-untrusted",
      "github:index/actionsSecret:ActionsSecret github-secret-RELEASE_KEY",
      "github:index/actionsVariable:ActionsVariable github-variable-PUSH_TO",
      "github:index/repositoryEnvironment:RepositoryEnvironment github-environment-prod",
      "github:index/repositoryEnvironmentDeploymentPolicy:RepositoryEnvironmentDeploymentPolicy github-environment-prod-from-main",
      "github:index/repositoryEnvironmentDeploymentPolicy:RepositoryEnvironmentDeploymentPolicy github-environment-prod-from-refs/tags/v*",
      "github:index/repositoryRuleset:RepositoryRuleset github-tags-immutable",
      "github:index/repositoryRuleset:RepositoryRuleset github-tags-made",
      "github:index/repositoryRuleset:RepositoryRuleset github-tags-release",
      "github:index/repositoryRuleset:RepositoryRuleset github-tags-unmoved",
      "kiln:github:GithubAccess github",
    ]);
  });

  it("gives the trusted group to one workflow of chosen repositories, and the untrusted one to those repositories", async () => {
    const recorded = await registered();
    const both = { visibility: "selected", selectedRepositoryIds: [3, 20], allowsPublicRepositories: false };
    expect(named(recorded, "github-group-kiln-prod-trusted").inputs).toEqual({
      ...both,
      name: "kiln-prod-trusted",
      restrictedToWorkflows: true,
      selectedWorkflows: [WORKFLOW],
    });
    expect(named(recorded, "github-group-kiln-prod-untrusted").inputs).toEqual({
      ...both,
      name: "kiln-prod-untrusted",
      restrictedToWorkflows: false,
    });
  });

  it("lets a scale set wait for its group", async () => {
    await recordResources();
    const { runnerGroups } = new GithubAccess("github", ARGS);
    const [trusted] = Object.values(runnerGroups);
    expect(await valueOf(trusted ?? pulumi.output(undefined))).toBe("kiln-prod-trusted");
  });

  it("protects an environment by reviewers, time and branches", async () => {
    const recorded = await registered();
    expect(named(recorded, "github-environment-prod").inputs).toEqual({
      repository: "kiln",
      environment: "prod",
      reviewers: [{ teams: [5], users: [6, 7] }],
      waitTimer: 10,
      canAdminsBypass: false,
      deploymentBranchPolicy: { protectedBranches: false, customBranchPolicies: true },
    });
    const place = { repository: "kiln", environment: "prod" };
    expect(named(recorded, "github-environment-prod-from-main").inputs).toEqual({ ...place, branchPattern: "main" });
    expect(named(recorded, "github-environment-prod-from-refs/tags/v*").inputs).toEqual({ ...place, tagPattern: "v*" });
  });

  it("gives secrets under their mark, in the field that stays, and to nothing else", async () => {
    const recorded = await registered();
    const [repository, environment] = [
      named(recorded, "github-secret-RELEASE_KEY"),
      named(recorded, "github-environment-prod-secret-KUBECONFIG"),
    ];
    expect(repository.inputs).toEqual({ repository: "kiln", secretName: "RELEASE_KEY", value: "hidden-key" });
    expect(environment.inputs).toMatchObject({ environment: "prod", value: "hidden-kubeconfig" });
    for (const { secrets } of [repository, environment]) expect(secrets).toEqual(["value"]);
    const others = recorded.filter((resource) => resource !== repository && resource !== environment);
    expect(JSON.stringify(others)).not.toContain("hidden");
    expect(others.flatMap(({ secrets }) => secrets)).toEqual([]);
  });

  it("exempts the release App alone, and nobody from the other rules", async () => {
    const recorded = await registered();
    expect(named(recorded, "github-tags-release").inputs).toMatchObject({
      repository: "kiln",
      target: "tag",
      enforcement: "active",
      rules: { creation: true, deletion: true },
      bypassActors: [{ actorType: "Integration", actorId: 4242, bypassMode: "always" }],
    });
    expect(named(recorded, "github-tags-made").inputs).toMatchObject({
      rules: { creation: true },
      conditions: { refName: { includes: ["refs/tags/iac-runner-base-v*"], excludes: [] } },
      bypassActors: [{ actorType: "Integration", actorId: 4242, bypassMode: "always" }],
    });
    const immutable = named(recorded, "github-tags-immutable").inputs;
    expect(immutable).toMatchObject({
      rules: { update: true, deletion: true },
      conditions: { refName: { includes: ["refs/tags/iac-runner-base-v*"], excludes: [] } },
    });
    for (const name of ["github-tags-immutable", "github-tags-unmoved"]) {
      expect(named(recorded, name).inputs).not.toHaveProperty("bypassActors");
    }
  });

  it("leaves out what a plan does not offer, so that an update does not fail halfway, and says so", async () => {
    const warn = vi.spyOn(pulumi.log, "warn").mockResolvedValue();
    onTestFinished(() => {
      warn.mockRestore();
    });
    const team = await registered({ plan: "team" });
    expect(named(team, "github-environment-prod").inputs).toEqual({
      repository: "kiln",
      environment: "prod",
      deploymentBranchPolicy: { protectedBranches: false, customBranchPolicies: true },
    });
    expect(named(team, "github-group-kiln-prod-trusted").inputs).toMatchObject({ restrictedToWorkflows: false });
    expect(named(team, "github-group-kiln-prod-trusted").inputs).not.toHaveProperty("selectedWorkflows");
    expect(warn.mock.calls.map(([message]) => message)).toEqual([
      expect.stringContaining(
        "GitHub Team does not offer required reviewers for private repositories such as acme/kiln",
      ),
      expect.stringContaining("GitHub Team does not offer wait timers"),
      expect.stringContaining("GitHub Team does not offer runner groups restricted to workflows"),
    ]);
    const free = await registered({ plan: "free" });
    expect(free.map(({ name }) => name).sort()).toEqual([
      ...["github", "github-group-kiln-prod-trusted", "github-group-kiln-prod-untrusted"],
      ...["github-secret-RELEASE_KEY", "github-variable-PUSH_TO"],
    ]);
  });

  it("of nothing is nothing", async () => {
    const nothing = { runnerGroups: {}, environments: {}, variables: {}, secrets: {}, tagRules: undefined };
    expect((await registered({ ...nothing, repositoryIds: [] })).map(({ name }) => name)).toEqual(["github"]);
  });

  it("is refused before anything is registered", async () => {
    const recorded = await recordResources();
    const group = {
      trust: "trusted",
      url: parseConfigUrl("https://github.com/acme/kiln", "url"),
      workflow: undefined,
      at: "k",
    };
    expect(() => new GithubAccess("github", { ...ARGS, runnerGroups: { g: { ...group, trust: "trusted" } } })).toThrow(
      /only organizations and enterprises have groups/,
    );
    expect(recorded).toEqual([]);
  });
});

describe("without ids of repositories", () => {
  it("the stack's own is looked up", async () => {
    const asked: unknown[] = [];
    const groups: unknown[] = [];
    await pulumi.runtime.setMocks({
      newResource({ name, inputs }) {
        const state = inputs as Record<string, unknown>;
        if (name === "github-group-kiln-prod-trusted") groups.push(state.selectedRepositoryIds);
        return { id: `${name}-id`, state };
      },
      call({ token, inputs }) {
        asked.push([token, inputs]);
        return { repoId: 99 };
      },
    });
    const { runnerGroups } = new GithubAccess("github", { ...ARGS, repositoryIds: [] });
    await valueOf(pulumi.all(runnerGroups));
    await pulumi.runtime.disconnect();
    expect(asked).toEqual([["github:index/getRepository:getRepository", { fullName: "acme/kiln" }]]);
    expect(groups).toEqual([[99]]);
  });
});
