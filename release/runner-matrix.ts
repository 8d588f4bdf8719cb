import { PLATFORMS, type Platform } from "../toolchain/platforms.ts";
import type { RunnerTarget } from "./runner-image.ts";

/** Where one image of a release is built: for one platform, on a runner of that platform, since emulation is slow. */
export interface PlatformJob {
  readonly platform: Platform;
  /** GitHub's hosted runners. */
  readonly runs_on: string;
}

/** One job of a release of language runners. */
export type RunnerJob = Pick<RunnerTarget, "language" | "variant"> & PlatformJob;

const RUNS_ON: Readonly<Record<Platform, string>> = {
  "linux/amd64": "ubuntu-24.04",
  "linux/arm64": "ubuntu-24.04-arm",
};

/** The jobs that build images, one a platform, as `strategy.matrix` of a GitHub workflow takes them. Pure. */
export function buildMatrix<Build extends Pick<PlatformJob, "platform">>(
  builds: readonly Build[],
): { readonly include: readonly (Build & PlatformJob)[] } {
  return { include: builds.map((build) => ({ ...build, runs_on: RUNS_ON[build.platform] })) };
}

/** The jobs that build the language runners of a release. Pure. */
export function runnerMatrix(targets: readonly RunnerTarget[]): { readonly include: readonly RunnerJob[] } {
  return buildMatrix(
    targets.flatMap(({ language, variant }) => PLATFORMS.map((platform) => ({ language, variant, platform }))),
  );
}
