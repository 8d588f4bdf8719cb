import * as github from "@pulumi/github";
import type * as pulumi from "@pulumi/pulumi";
import { apiAddress } from "../runners/github/package-state.ts";

export interface GithubProviderArgs {
  /** The organization or account whose things are managed. */
  readonly owner: string;
  /** `github.com`, or the host of a GitHub Enterprise Server. */
  readonly host: string;
}

/**
 * The provider for things of one GitHub owner. Its plugin reads GITHUB_TOKEN from the environment by itself. The SDK would
 * read it too and hand it to the engine as a plain input, which puts it into the state and makes every new token a change:
 * so it is taken out on its way.
 */
export function githubProvider(
  name: string,
  { owner, host }: GithubProviderArgs,
  opts: pulumi.ResourceOptions = {},
): github.Provider {
  const transformations = [...(opts.transformations ?? []), withoutToken];
  return new github.Provider(name, { owner, baseUrl: `${apiAddress(host)}/` }, { ...opts, transformations });
}

function withoutToken({ props, opts }: pulumi.ResourceTransformationArgs): pulumi.ResourceTransformationResult {
  return { props: { ...(props as object), token: undefined }, opts };
}
