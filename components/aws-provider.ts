import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { PUBLIC_ECR_REGION } from "../registry/public-ecr.ts";

export interface AwsProviderArgs {
  /** The one account that may be changed, in 12 digits: a login to another one fails before anything is made. */
  readonly account: string;
}

/** The provider for things of public ECR. Its plugin finds the login by itself; the region is none of the environment's. */
export function awsProvider(
  name: string,
  { account }: AwsProviderArgs,
  opts: pulumi.ResourceOptions = {},
): aws.Provider {
  return new aws.Provider(name, { region: PUBLIC_ECR_REGION, allowedAccountIds: [account] }, opts);
}
