import { describe, expect, it } from "vitest";
import { FILE, settingsOf, type Raw } from "../../support/runner-settings.ts";

const github = (about: Raw) => settingsOf({ github: { owner: "acme", repository: "infra", ...about } }).github;

describe("the GitHub side of a stack", () => {
  it("reads environments with every default filled in", () => {
    expect(github({ environments: { prod: {} } })?.environments).toEqual({
      prod: { reviewers: { teams: [], users: [] }, waitMinutes: 0, branches: [], variables: {}, secrets: {} },
    });
  });

  it("says all that an environment and its release tags say", () => {
    const prod = {
      ...{ reviewers: { teams: [7], users: [8, 9] }, waitMinutes: 5, branches: ["main", "refs/tags/v*"] },
      ...{ variables: { STACK: "prod" }, secrets: { KEY: "kiln:token" } },
    };
    const all = { repositoryIds: [42], plan: "team", visibility: "public", environments: { prod } };
    expect(github({ ...all, tagRules: { releaseAppId: 99 } })).toMatchObject({
      ...all,
      tagRules: { releaseAppId: 99 },
    });
  });

  it.each<[unknown, unknown]>([
    [undefined, undefined],
    [null, undefined],
    [{}, { releaseAppId: undefined }],
    [{ releaseAppId: 99 }, { releaseAppId: 99 }],
  ])("keeps release tags where it is told to: %j", (tagRules, read) => {
    expect(github({ tagRules })?.tagRules).toEqual(read);
  });

  it.each<[string, Raw, string]>([
    ["no owner", { owner: "" }, "owner is not set"],
    ["no repository", { repository: undefined }, "repository is not set"],
    ["a plan that is none", { plan: "pro" }, 'plan is "pro", which is none of its values'],
    ["a repository by name", { repositoryIds: ["infra"] }, "repositoryIds[0] must be a whole number of at least 1"],
    ["a repository that is left empty", { repositoryIds: [1, null] }, "repositoryIds[1] is empty"],
    [
      "a team that is none",
      { environments: { p: { reviewers: { teams: [0] } } } },
      "environments.p.reviewers.teams[0] ",
    ],
    ["a wait of half a minute", { environments: { p: { waitMinutes: 0.5 } } }, "environments.p.waitMinutes must be"],
    ["a branch without a name", { environments: { p: { branches: [""] } } }, "environments.p.branches[0] is not set"],
    ["a name with a dash", { variables: { "A-B": "1" } }, "variables.A-B has a name that cannot be used"],
    ["a name with a digit first", { secrets: { "1A": "token" } }, "secrets.1A has a name that cannot be used"],
    ["a variable without a value", { environments: { p: { variables: { A: "" } } } }, "environments.p.variables.A is"],
    ["a secret that is no key", { secrets: { A: "a b" } }, "secrets.A is no configuration key"],
    ["an App that is none", { tagRules: { releaseAppId: 0 } }, "tagRules.releaseAppId must be a whole number"],
  ])("is refused with %s", (_, about, message) => {
    expect(() => github(about)).toThrow(`${FILE}: kiln:github.${message}`);
  });

  it.each<[string, Raw]>([
    ["in the place of its key", { secrets: { PIN: "hunter 2" } }],
    ["as a number", { secrets: { PIN: 5318008 } }],
    ["in the place of them all", { secrets: "hunter 2" }],
    ["of an environment", { environments: { prod: { secrets: { PIN: 5318008 } } } }],
  ])("does not repeat a secret %s", (_, about) => {
    expect(() => github(about)).toThrow(/^(?!.*(hunter 2|5318008))stacks\/Pulumi\.dev\.yaml: kiln:github\..*secrets/);
  });
});
