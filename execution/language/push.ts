import type { Progress } from "../../progress.ts";
import type { RegistryClient } from "../../registry/client.ts";
import { pushDateless } from "../../registry/dateless-image.ts";
import { registryHost, type PinnedImage } from "../../registry/image-reference.ts";
import { isLoopback } from "../../registry/repository-names.ts";
import { tagManifest } from "../../registry/tag-manifest.ts";
import type { RunnerRelease, RunnerTarget } from "../../release/runner-image.ts";
import { requireLabels } from "../../release/runner-publish.ts";
import { engineEnvironment, type Engine } from "../../toolchain/docker-engine.ts";
import { identifyImage } from "../image-identity.ts";
import { dockerCall } from "../docker-call.ts";
import { pushImage } from "../docker.ts";

/**
 * Pushes a runner of the engine to the first repository of its target, under a tag that names its inputs, and returns it by
 * digest. The same build has the same digest, whenever it is pushed. No tag of a release moves.
 */
export async function pushLanguageImage(options: {
  readonly engine: Engine;
  readonly client: RegistryClient;
  readonly image: string;
  readonly release: RunnerRelease;
  readonly target: RunnerTarget;
  readonly progress: Progress;
}): Promise<PinnedImage> {
  const { engine, client, image, release, target, progress } = options;
  const docker = { docker: engine.docker, env: engineEnvironment(engine) };
  const { id, labels } = await identifyImage(docker, image, { progress });
  const isAtHome = target.repositories.every((to) => isLoopback(registryHost(to)));
  requireLabels(image, labels, { release, target, isAtHome });
  const [repository] = target.repositories;
  const tag = `inputs-${id.replace("sha256:", "").slice(0, 32)}`;
  progress.step(`pushing ${repository}:${tag}`);
  await dockerCall(docker, ["tag", id, `${repository}:${tag}`]);
  try {
    const digest = await pushDateless(client, { repository, digest: await pushImage(engine, `${repository}:${tag}`) });
    await tagManifest(client, { repository, digest }, tag);
    return { repository, digest };
  } finally {
    await dockerCall(docker, ["image", "rm", `${repository}:${tag}`], { allowFailure: true });
  }
}
