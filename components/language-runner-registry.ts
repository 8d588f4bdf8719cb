import * as pulumi from "@pulumi/pulumi";
import { isPublicEcr, publicRepositoryName } from "../registry/public-ecr.ts";
import { roleArn } from "../release/publisher.ts";
import { runnerCatalog } from "../release/runner-catalog.ts";
import { runnerName, type RunnerLanguage } from "../release/runner-image.ts";
import type { RunnerEnvironment } from "../release/runner-tag.ts";
import { awsProvider } from "./aws-provider.ts";
import { ImageRepository } from "./image-repository.ts";
import { PublishingRole } from "./publishing-role.ts";

export interface LanguageRunnerRegistryArgs {
  /** For everybody, or to try. */
  readonly environment: RunnerEnvironment;
  /** Where its images are pushed: the first is the registry, the others mirror it (images/pulumi-runner/registries.json). */
  readonly registries: readonly string[];
  /** The languages that are released. */
  readonly languages: readonly RunnerLanguage[];
  /** The AWS account of the registry, in 12 digits. */
  readonly account: string;
  /** The repository on GitHub whose workflow publishes: `owner/name`. */
  readonly repository: string;
  /** The environment on GitHub in which it publishes. */
  readonly githubEnvironment: string;
  /** Whether the account has GitHub's identity provider already, or gets it here. */
  readonly identityProvider: "existing" | "create";
  /** Keep the repositories when the stack is destroyed, until they are unprotected. */
  readonly protect: boolean;
}

/** The registry of the language runners of one environment: a repository a language, and the one role that pushes to them. */
export class LanguageRunnerRegistry extends pulumi.ComponentResource {
  /** The repository of each language in the registry, without a tag. */
  readonly repositories: Readonly<Record<string, pulumi.Output<string>>>;
  /** The role for the workflow's variable RUNNERS_AWS_ROLE; nothing where the registry is not Amazon's. */
  readonly role: pulumi.Output<string> | undefined;

  constructor(name: string, args: LanguageRunnerRegistryArgs, opts: pulumi.ComponentResourceOptions = {}) {
    const { environment, registries, languages, account, repository, githubEnvironment, identityProvider } = args;
    const [registry = ""] = registries;
    const names = isPublicEcr(registry) ? languages.map((own) => publicRepositoryName(registry, runnerName(own))) : [];
    const roleName = `kiln-runners-${environment}`;
    const providers = names.length > 0 ? [awsProvider(name, { account })] : [];
    super("kiln:registry:LanguageRunnerRegistry", name, args, { ...opts, providers });

    const role =
      names.length === 0
        ? undefined
        : new PublishingRole(
            `${name}-publisher`,
            { roleName, account, repository, environment: githubEnvironment, repositories: names, identityProvider },
            { parent: this },
          );
    const made = languages.map((language) => {
      const own = new ImageRepository(
        `${name}-${language}`,
        {
          registry,
          repositoryName: runnerName(language),
          publisher: roleArn(account, roleName),
          protect: args.protect,
          ...runnerCatalog(language, { environment, registries, repository }),
        },
        { parent: this },
      );
      return [language, own.url] as const;
    });
    this.repositories = Object.fromEntries(made);
    this.role = role?.arn;
    this.registerOutputs({ repositories: this.repositories, role: this.role });
  }
}
