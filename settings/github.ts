import type { EnvironmentRequest, GithubRequest } from "../runners/github/request.ts";
import { secretKeyOf, type SecretKeys } from "./credentials.ts";
import { choiceOf, countOf, listOf, mapOf, refusal, requiredText, section, type Field } from "./field.ts";

/** The GitHub side of a stack: what its workflows may use and who may release; its runner groups follow from the tenants. */
export type GithubSettings = Omit<GithubRequest, "runnerGroups">;

const GITHUB = [
  "owner",
  "repository",
  "repositoryIds",
  "plan",
  "visibility",
  "environments",
  "variables",
  "secrets",
  "tagRules",
] as const;
const ENVIRONMENT = ["reviewers", "waitMinutes", "branches", "variables", "secrets"] as const;

/** GitHub's rule for the names of variables and secrets. */
const VARIABLE = {
  pattern: /^(?!GITHUB_)[A-Z_][A-Z0-9_]*$/i,
  mend: "Use letters, digits and underscores; the first is no digit, and GITHUB_ is taken",
} as const;

/** The GitHub side of a stack. Throws a usage error that names the key. */
export function githubOf(field: Field, secrets: SecretKeys): GithubSettings {
  const github = section(field, GITHUB);
  const tagRules = github("tagRules");
  return Object.freeze({
    owner: requiredText(github("owner"), "Set it to the organization"),
    repository: repositoryOf(github("repository")),
    repositoryIds: listOf(github("repositoryIds"), idOf),
    plan: choiceOf(github("plan"), ["free", "team", "enterprise"] as const, "free"),
    visibility: choiceOf(github("visibility"), ["private", "public", "internal"] as const, "private"),
    environments: mapOf(github("environments"), (own) => environmentOf(own, secrets)),
    variables: variablesOf(github("variables")),
    secrets: secretsOf(github("secrets"), secrets),
    tagRules: tagRules.value === undefined ? undefined : tagRulesOf(tagRules),
  });
}

function repositoryOf(field: Field): string {
  const repository = requiredText(field, "Set it to the repository's name");
  if (!repository.includes("/")) return repository;
  throw refusal(field, `is ${JSON.stringify(repository)}, but is the name alone`, {
    mend: `Set it to ${repository.slice(repository.indexOf("/") + 1)}: owner stands in a key of its own`,
  });
}

function environmentOf(field: Field, secrets: SecretKeys): EnvironmentRequest {
  const environment = section(field, ENVIRONMENT);
  const reviewers = section(environment("reviewers"), ["teams", "users"]);
  return Object.freeze({
    reviewers: Object.freeze({
      teams: listOf(reviewers("teams"), idOf),
      users: listOf(reviewers("users"), idOf),
    }),
    waitMinutes: countOf(environment("waitMinutes")) ?? 0,
    branches: listOf(environment("branches"), (item) => requiredText(item, "Write a branch such as main")),
    variables: variablesOf(environment("variables")),
    secrets: secretsOf(environment("secrets"), secrets),
  });
}

function tagRulesOf(field: Field): NonNullable<GithubSettings["tagRules"]> {
  const rules = section(field, ["releaseAppId"]);
  return Object.freeze({ releaseAppId: countOf(rules("releaseAppId"), 1) });
}

function idOf(field: Field): number {
  const id = countOf(field, 1);
  if (id !== undefined) return id;
  throw refusal(field, "is empty", { mend: "Write the numeric id that GitHub's API gives" });
}

function variablesOf(field: Field): Readonly<Record<string, string>> {
  return mapOf(field, (own) => requiredText(own, "Write the value"), VARIABLE);
}

function secretsOf(field: Field, secrets: SecretKeys): Readonly<Record<string, string>> {
  return mapOf({ ...field, confidential: true }, (own) => secretKeyOf(own, secrets, "the key of the secret"), VARIABLE);
}
