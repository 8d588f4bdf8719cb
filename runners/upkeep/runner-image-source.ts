import type { RunnerRelease } from "./freshness.ts";

/** What images/actions-runner is built from. */
export interface RunnerImageSource {
  readonly release: RunnerRelease | undefined;
  /** The image of the release, by tag or digest, where it does not come from GitHub's registry. */
  readonly base?: string;
  /** An image that holds the tools, which the build would download otherwise; one for arm64 has to be named. */
  readonly tools?: string;
  /** An image with `/ca.crt`, which the build's downloads trust; in no layer. */
  readonly certificates?: string;
}

/** Where GitHub publishes an image of each runner release, with the version as its tag. */
export const RELEASE_REPOSITORY = "ghcr.io/actions/actions-runner";

/** The build arguments of images/actions-runner. The build fails where the base is another release than `release` says. */
export function runnerImageArguments(source: RunnerImageSource): Readonly<Record<string, string>> {
  const { release, tools, certificates } = source;
  const base = source.base ?? (release === undefined ? undefined : `${RELEASE_REPOSITORY}:${release.version}`);
  return {
    ...(base === undefined ? {} : { ACTIONS_RUNNER_IMAGE: base }),
    ...(release === undefined ? {} : { RUNNER_VERSION: release.version, RUNNER_RELEASED: release.released }),
    ...(tools === undefined ? {} : { TOOLS_IMAGE: tools }),
    ...(certificates === undefined ? {} : { CA_IMAGE: certificates }),
  };
}
