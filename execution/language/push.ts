import type { Progress } from "../../progress.ts";
import type { RegistryClient } from "../../registry/client.ts";
import type { PinnedImage } from "../../registry/image-reference.ts";
import type { RunnerRelease, RunnerTarget } from "../../release/runner-image.ts";
import { releasedRunner } from "../../release/runner-publish.ts";
import type { RunnerBase } from "../../release/runner-readiness.ts";
import type { Engine } from "../../toolchain/docker-engine.ts";
import { pushReleased } from "../released-push.ts";

/** Pushes a language runner of the engine to the first repository of its target, and returns it by digest. */
export async function pushLanguageImage(
  options: RunnerBase & {
    readonly engine: Engine;
    readonly client: RegistryClient;
    readonly image: string;
    readonly release: RunnerRelease;
    readonly target: RunnerTarget;
    readonly progress: Progress;
  },
): Promise<PinnedImage> {
  const { release, target, baseDigest, ...others } = options;
  return pushReleased({ ...others, released: releasedRunner(release, target, { baseDigest }) });
}
