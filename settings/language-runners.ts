import { PUBLIC_ECR_REGION } from "../registry/public-ecr.ts";
import { RUNNER_LANGUAGES, type RunnerLanguage } from "../release/runner-image.ts";
import type { RunnerEnvironment } from "../release/runner-tag.ts";
import { choiceOf, flagOf, listOf, refusal, requiredText, section, textOf, type Field } from "./field.ts";

/** The registry of language runners that a stack makes; where it is stands in images/pulumi-runner/registries.json. */
export interface LanguageRunnersSettings {
  readonly environment: RunnerEnvironment;
  /** The AWS account, in 12 digits. */
  readonly account: string;
  /** `owner/name` on GitHub, whose workflow publishes. */
  readonly repository: string;
  /** The environment on GitHub in which it publishes. */
  readonly githubEnvironment: string;
  readonly identityProvider: "existing" | "create";
  readonly languages: readonly RunnerLanguage[];
  /** Pulumi refuses to delete the repositories. */
  readonly protect: boolean;
}

const KEYS = [
  ...["environment", "account", "repository", "githubEnvironment", "identityProvider"],
  ...["languages", "protect", "region"],
] as const;
const ENVIRONMENTS = ["preproduction", "production"] as const;

/** The registry of a stack. Throws a usage error that names the key. */
export function languageRunnersOf(field: Field): LanguageRunnersSettings {
  const runners = section(field, KEYS);
  requiredText(runners("environment"), "Set it to production or preproduction");
  const environment = choiceOf(runners("environment"), ENVIRONMENTS, "preproduction");
  requireRegion(runners("region"));
  const languages = listOf(runners("languages"), (item) => choiceOf(item, RUNNER_LANGUAGES, "golang"));
  return Object.freeze({
    environment,
    account: accountOf(runners("account")),
    repository: repositoryOf(runners("repository")),
    githubEnvironment: environmentOf(runners("githubEnvironment"), `runners-${environment}`),
    identityProvider: choiceOf(runners("identityProvider"), ["existing", "create"] as const, "existing"),
    languages: languages.length === 0 ? RUNNER_LANGUAGES : [...new Set(languages)].sort(),
    protect: flagOf(runners("protect"), environment === "production"),
  });
}

function accountOf(field: Field): string {
  // YAML reads digits as a number, and would take a zero at the beginning away.
  if (typeof field.value === "number") {
    throw refusal(field, "is a number, of which zeros at the beginning are lost", { mend: "Write it in quotes" });
  }
  const account = requiredText(field, "Set it to the AWS account's id, in quotes");
  if (/^\d{12}$/.test(account)) return account;
  throw refusal(field, `is ${JSON.stringify(account)}, but an AWS account has 12 digits`, {
    mend: "`aws sts get-caller-identity --query Account` prints it",
  });
}

function repositoryOf(field: Field): string {
  const repository = requiredText(field, "Set it to owner/name of the repository on GitHub whose workflow publishes");
  if (/^[\w.-]+\/[\w.-]+$/.test(repository)) return repository;
  throw refusal(field, `is ${JSON.stringify(repository)}, which is no repository`, { mend: "Write owner/name" });
}

/** It is compared whole with what GitHub says of a job: a star or a colon there would be meant as more than a name. */
function environmentOf(field: Field, otherwise: string): string {
  const name = textOf(field) ?? otherwise;
  if (/^[\w.-]{1,255}$/.test(name)) return name;
  throw refusal(field, `is ${JSON.stringify(name)}, which cannot be used`, {
    mend: "Use letters, digits, dots, dashes and underscores, as in the environment's name on GitHub",
  });
}

function requireRegion(field: Field): void {
  const region = textOf(field);
  if (region === undefined || region === PUBLIC_ECR_REGION) return;
  throw refusal(field, `is ${JSON.stringify(region)}, but public ECR is managed in ${PUBLIC_ECR_REGION} alone`, {
    mend: "Remove it: images are pulled from everywhere alike",
  });
}
