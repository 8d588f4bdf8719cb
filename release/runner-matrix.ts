import { PLATFORMS, type Platform } from "../toolchain/platforms.ts";
import type { RunnerTarget } from "./runner-image.ts";

/** One job of a release: an image for one platform, on a runner of that platform, since emulation is slow. */
export interface RunnerJob extends Pick<RunnerTarget, "language" | "variant"> {
  readonly platform: Platform;
  /** GitHub's hosted runners. */
  readonly runs_on: string;
}

const RUNS_ON: Readonly<Record<Platform, string>> = {
  "linux/amd64": "ubuntu-24.04",
  "linux/arm64": "ubuntu-24.04-arm",
};

/** The jobs that build the images of a release, as `strategy.matrix` of a GitHub workflow takes them. Pure. */
export function runnerMatrix(targets: readonly RunnerTarget[]): { readonly include: readonly RunnerJob[] } {
  const include = targets.flatMap(({ language, variant }) =>
    PLATFORMS.map((platform): RunnerJob => ({ language, variant, platform, runs_on: RUNS_ON[platform] })),
  );
  return { include };
}
