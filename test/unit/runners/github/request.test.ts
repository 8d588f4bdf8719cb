import { describe, expect, it } from "vitest";
import { KilnError } from "../../../../errors.ts";
import { parseConfigUrl } from "../../../../runners/scale-set/config-url.ts";
import {
  askedProtections,
  githubWarnings,
  requireGithubRequest,
  type EnvironmentRequest,
  type GithubRequest,
  type RunnerGroupRequest,
} from "../../../../runners/github/request.ts";

const WORKFLOW = "acme/kiln/.github/workflows/bake.yml@refs/heads/main";

const ENVIRONMENT: EnvironmentRequest = {
  reviewers: { teams: [], users: [] },
  waitMinutes: 0,
  branches: [],
  variables: {},
  secrets: {},
};

function request(changes: Partial<GithubRequest> = {}): GithubRequest {
  return {
    owner: "acme",
    repository: "kiln",
    plan: "enterprise",
    visibility: "private",
    repositoryIds: [],
    runnerGroups: {},
    environments: {},
    variables: {},
    secrets: {},
    tagRules: undefined,
    ...changes,
  };
}

function group(changes: Partial<RunnerGroupRequest> = {}): RunnerGroupRequest {
  const at = "kiln:tenants.platform.trusted";
  const url = parseConfigUrl("https://github.com/acme", "url");
  return { trust: "trusted", url, workflow: WORKFLOW, at, ...changes };
}

function refusal(changes: Partial<GithubRequest>): KilnError {
  try {
    requireGithubRequest(request(changes));
  } catch (error) {
    if (error instanceof KilnError) return error;
  }
  throw new Error("the request was taken");
}

describe("a request to GitHub", () => {
  it("is taken with everything that an organization can have", () => {
    const whole = request({
      runnerGroups: { trusted: group(), untrusted: group({ trust: "untrusted", workflow: undefined }) },
      environments: {
        prod: { ...ENVIRONMENT, reviewers: { teams: [1, 2, 3], users: [4, 5, 6] }, waitMinutes: 43_200 },
      },
      variables: { A: "1" },
      secrets: { A: "kiln:a" },
      tagRules: { releaseAppId: 7 },
    });
    expect(() => {
      requireGithubRequest(whole);
    }).not.toThrow();
    expect(githubWarnings(whole)).toEqual([]);
  });

  const url = (address: string) => parseConfigUrl(address, "url");
  it.each<[string, Partial<GithubRequest>, RegExp]>([
    [
      "a group for a repository or a person",
      { runnerGroups: { trusted: group({ url: url("https://github.com/acme/kiln") }) } },
      /runner group trusted cannot be made, because https:\/\/github\.com\/acme\/kiln is a repository.*only organizations/,
    ],
    [
      "a group for an enterprise",
      { runnerGroups: { trusted: group({ url: url("https://github.com/enterprises/acme") }) } },
      /is an enterprise, whose groups are shared with organizations in its own settings/,
    ],
    [
      "a group of another organization",
      { runnerGroups: { trusted: group({ url: url("https://github.com/other") }) } },
      /is of other, but this stack manages acme/,
    ],
    [
      "a group for a public repository",
      { visibility: "public", runnerGroups: { trusted: group() } },
      /admits no public repository, and acme\/kiln is public/,
    ],
    [
      "an untrusted group restricted to a workflow",
      { runnerGroups: { untrusted: group({ trust: "untrusted" }) } },
      /kiln:tenants\.platform\.trusted\.workflow restricts the untrusted group/,
    ],
    [
      "a workflow at a tag",
      { runnerGroups: { trusted: group({ workflow: WORKFLOW.replace("heads/main", "tags/v1") }) } },
      /a tag's own reference would not match/,
    ],
    [
      "seven reviewers",
      { environments: { prod: { ...ENVIRONMENT, reviewers: { teams: [1, 2, 3, 4], users: [5, 6, 7] } } } },
      /environment prod names 7 reviewers, and GitHub takes 6/,
    ],
    [
      "a wait of 31 days",
      { environments: { prod: { ...ENVIRONMENT, waitMinutes: 44_640 } } },
      /at most 43200, 30 days/,
    ],
    [
      "secrets that differ in case",
      { secrets: { KEY: "kiln:a", key: "kiln:b" } },
      /the secrets KEY and key of acme\/kiln are one/,
    ],
    [
      "an environment's variables that differ in case",
      { environments: { prod: { ...ENVIRONMENT, variables: { A: "1", a: "2" } } } },
      /the variables A and a of environment prod are one/,
    ],
  ])("is refused with %s", (_, changes, message) => {
    expect(refusal(changes)).toMatchObject({ kind: "usage", message: expect.stringMatching(message) as string });
  });

  it("for a group of private repositories goes with a public one of its own", () => {
    expect(() => {
      requireGithubRequest(request({ visibility: "public", repositoryIds: [1], runnerGroups: { trusted: group() } }));
    }).not.toThrow();
  });
});

describe("the warnings of a request", () => {
  it("name each protection that the plan lacks", () => {
    const asked = request({
      plan: "free",
      runnerGroups: { trusted: group() },
      environments: {
        prod: { ...ENVIRONMENT, reviewers: { teams: [1], users: [] }, waitMinutes: 5, branches: ["main"] },
      },
      tagRules: { releaseAppId: 7 },
    });
    expect(askedProtections(asked)).toEqual([
      ...["environments", "deploymentBranches", "reviewers", "waitTimer", "tagRules", "workflowRestriction"],
    ]);
    const warnings = githubWarnings(asked);
    expect(warnings).toEqual([
      expect.stringContaining("environments for private repositories such as acme/kiln"),
      expect.stringContaining("rulesets for private repositories"),
      expect.stringContaining("runner groups restricted to workflows"),
    ]);
    for (const warning of warnings)
      expect(warning).toMatch(/^GitHub Free does not offer .*https:\/\/docs\.github\.com\//);
  });

  it("say what stands open by choice", () => {
    const open = request({
      runnerGroups: { trusted: group({ workflow: undefined }) },
      tagRules: { releaseAppId: undefined },
    });
    expect(githubWarnings(open)).toEqual([
      expect.stringContaining("runner group trusted is restricted to no workflow"),
      expect.stringContaining("no release App is named"),
    ]);
  });

  it.each<[string, Partial<GithubRequest>, Partial<EnvironmentRequest>, readonly string[]]>([
    ["without rules", {}, {}, ["refs/tags/iac-runner-base-v*"]],
    [
      "with rules that let anybody make a tag",
      { tagRules: { releaseAppId: undefined } },
      {},
      ["refs/tags/iac-runner-base-v*"],
    ],
    [
      "of whose tags an App makes some",
      { tagRules: { releaseAppId: 7 } },
      { branches: ["refs/tags/v1.*", "refs/tags/x*"] },
      ["refs/tags/x*"],
    ],
    [
      "that has reviewers which the plan lacks",
      { plan: "team" },
      { reviewers: { teams: [1], users: [] } },
      ["refs/tags/iac-runner-base-v*"],
    ],
    ["whose tags the App alone makes", { tagRules: { releaseAppId: 7 } }, {}, []],
    ["with reviewers", {}, { reviewers: { teams: [], users: [1] } }, []],
    ["of branches alone", {}, { branches: ["main"] }, []],
    ["that no plan makes", { plan: "free" }, {}, []],
  ])("name the tags that open an environment to whoever can push, %s", (_, changes, own, open) => {
    const dev = { ...ENVIRONMENT, branches: ["main", "refs/tags/iac-runner-base-v*"], ...own };
    const lines = githubWarnings(request({ ...changes, environments: { dev } }));
    const named = lines.flatMap(
      (line) => /^environment dev admits (.+): whoever can push can make/.exec(line)?.[1] ?? [],
    );
    expect(named).toEqual(open);
  });

  it("are none for nothing", () => {
    expect(githubWarnings(request({ plan: "free" }))).toEqual([]);
  });
});
