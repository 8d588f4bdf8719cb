import type { Progress } from "../../progress.ts";
import type { RegistryClient } from "../../registry/client.ts";
import { readImagePackages } from "../../release/supply/image-packages.ts";
import type { ListOptions } from "../../release/supply/package-list.ts";
import type { Places } from "../../toolchain/places.ts";
import { resolveTool } from "../../toolchain/resolve.ts";

/** Reads the packages inside an image with the tools of this machine; Go is readied where an image has programs of it. */
export function packageReader(client: RegistryClient, here: Places, progress: Progress): ListOptions["readPackages"] {
  const go = async () => (await resolveTool("go", { places: here, progress })).path;
  return (repository, image) => readImagePackages({ client, repository, image, go, work: here.work, progress });
}
