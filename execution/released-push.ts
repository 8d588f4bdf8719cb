import type { Progress } from "../progress.ts";
import type { RegistryClient } from "../registry/client.ts";
import { pushDateless } from "../registry/dateless-image.ts";
import type { PinnedImage } from "../registry/image-reference.ts";
import { tagManifest } from "../registry/tag-manifest.ts";
import type { ReleasedImage } from "../release/runner-publish.ts";
import { isHome, requireAddresses } from "../release/runner-readiness.ts";
import { engineEnvironment, type Engine } from "../toolchain/docker-engine.ts";
import { dockerCall } from "./docker-call.ts";
import { pushImage } from "./docker.ts";
import { identifyImage } from "./image-identity.ts";

/**
 * Pushes an image of the engine to the first repository of its release, under a tag that names its inputs, and returns it by
 * digest. The same build has the same digest, whenever it is pushed. No tag of a release moves. Throws a usage error for
 * registries that are examples, and for an image that is not that of the release.
 */
export async function pushReleased(options: {
  readonly engine: Engine;
  readonly client: RegistryClient;
  readonly image: string;
  readonly released: Pick<ReleasedImage, "repositories" | "requireLabels">;
  readonly progress: Progress;
}): Promise<PinnedImage> {
  const { engine, client, image, released, progress } = options;
  requireAddresses(released);
  const docker = { docker: engine.docker, env: engineEnvironment(engine) };
  const { id, labels } = await identifyImage(docker, image, { progress });
  released.requireLabels(image, labels, isHome(released));
  const [repository] = released.repositories;
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
