import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { AWS_AUDIENCE, GITHUB_ISSUER, publisherPermissions, publisherTrust } from "../release/publisher.ts";

export interface PublishingRoleArgs {
  /** What the role is called in its account. */
  readonly roleName: string;
  /** The account, in 12 digits. */
  readonly account: string;
  /** The repository on GitHub whose workflow publishes: `owner/name`. */
  readonly repository: string;
  /** The environment on GitHub in which its jobs publish, and no others. */
  readonly environment: string;
  /** The repositories of the public registry that it may push to, by name. */
  readonly repositories: readonly string[];
  /** An account has one identity provider for GitHub: look up the one that is there, or create it here. */
  readonly identityProvider: "existing" | "create";
}

/** An hour is what a role gives by itself; a release of six images for two platforms takes less. */
const SESSION_SECONDS = 3600;

/** The role by which jobs of one environment of one GitHub repository push to public ECR, without a stored key. */
export class PublishingRole extends pulumi.ComponentResource {
  /** What `role-to-assume` of the workflow names. */
  readonly arn: pulumi.Output<string>;

  constructor(name: string, args: PublishingRoleArgs, opts?: pulumi.ComponentResourceOptions) {
    super("kiln:registry:PublishingRole", name, args, opts);
    const { roleName, account, repositories } = args;
    const provider = this.#identityProvider(name, args);
    const role = new aws.iam.Role(
      name,
      {
        name: roleName,
        description: `Pushes language runners, for ${args.repository} in its environment ${args.environment}`,
        assumeRolePolicy: pulumi.jsonStringify(provider.apply((arn) => publisherTrust(arn, args))),
        maxSessionDuration: SESSION_SECONDS,
      },
      { parent: this },
    );
    new aws.iam.RolePolicy(
      `${name}-push`,
      { name: "push", role: role.name, policy: pulumi.jsonStringify(publisherPermissions(account, repositories)) },
      { parent: this },
    );
    this.arn = role.arn;
    this.registerOutputs({ arn: this.arn });
  }

  #identityProvider(name: string, { identityProvider }: PublishingRoleArgs): pulumi.Output<string> {
    if (identityProvider === "existing") {
      return aws.iam.getOpenIdConnectProviderOutput({ url: GITHUB_ISSUER }, { parent: this }).arn;
    }
    const made = new aws.iam.OpenIdConnectProvider(
      `${name}-github`,
      { url: GITHUB_ISSUER, clientIdLists: [AWS_AUDIENCE] },
      { parent: this },
    );
    return made.arn;
  }
}
