import { PUBLIC_ECR_PUSH, publicRepositoryArn } from "../registry/public-ecr.ts";

/** A policy in Amazon's language. */
export interface PolicyDocument {
  readonly Version: "2012-10-17";
  readonly Statement: readonly PolicyStatement[];
}

interface PolicyStatement {
  readonly Sid: string;
  readonly Effect: "Allow" | "Deny";
  readonly Principal?: "*" | Readonly<Record<string, string>>;
  readonly Action: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Who signs what GitHub's workflows say of themselves. */
export const GITHUB_ISSUER = "https://token.actions.githubusercontent.com";
/** Whom such a token is for; aws-actions/configure-aws-credentials asks for this one. */
export const AWS_AUDIENCE = "sts.amazonaws.com";

/** A job that publishes: of this repository, in this environment, whose protection rules GitHub enforces. */
export interface PublishingJob {
  /** `owner/name`. */
  readonly repository: string;
  /** A deployment environment of GitHub. */
  readonly environment: string;
}

/** Lets jobs of one environment of one repository take a role, and nobody else: compared whole, without wildcards. */
export function publisherTrust(provider: string, { repository, environment }: PublishingJob): PolicyDocument {
  const issuer = new URL(GITHUB_ISSUER).host;
  return policy({
    Sid: "GithubEnvironment",
    Effect: "Allow",
    Principal: { Federated: provider },
    Action: "sts:AssumeRoleWithWebIdentity",
    Condition: {
      StringEquals: {
        [`${issuer}:aud`]: AWS_AUDIENCE,
        [`${issuer}:sub`]: `repo:${repository}:environment:${environment}`,
      },
    },
  });
}

/** What publishing takes: pushing to these repositories, and the login of the public registry, which belongs to no repository. */
export function publisherPermissions(account: string, repositories: readonly string[]): PolicyDocument {
  return policy(
    {
      Sid: "Push",
      Effect: "Allow",
      Action: PUBLIC_ECR_PUSH,
      Resource: repositories.map((name) => publicRepositoryArn(account, name)),
    },
    { Sid: "LogIn", Effect: "Allow", Action: "ecr-public:GetAuthorizationToken", Resource: "*" },
    {
      Sid: "LogInToken",
      Effect: "Allow",
      Action: "sts:GetServiceBearerToken",
      Resource: "*",
      Condition: { StringEquals: { "sts:AWSServiceName": "ecr-public.amazonaws.com" } },
    },
  );
}

/**
 * What a repository itself refuses: pushes by anyone but the publisher, whatever else they may do in the account. Who may
 * change this policy can lift it: an administrator is not locked out.
 */
export function publishedBy(roleArn: string): PolicyDocument {
  return policy({
    Sid: "PublisherAlonePushes",
    Effect: "Deny",
    Principal: "*",
    Action: PUBLIC_ECR_PUSH,
    Condition: { ArnNotEquals: { "aws:PrincipalArn": roleArn } },
  });
}

/** The address of a role of an account: known before the role is made, so that a preview shows whole policies. */
export function roleArn(account: string, name: string): string {
  return `arn:aws:iam::${account}:role/${name}`;
}

function policy(...Statement: readonly PolicyStatement[]): PolicyDocument {
  return { Version: "2012-10-17", Statement };
}
