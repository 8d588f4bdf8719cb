import { KilnError } from "../errors.ts";
import { readDigest, readTags, regctl, type RegistryClient } from "./client.ts";
import { formatReference, registryHost, type PinnedImage } from "./image-reference.ts";

/**
 * Deletes a manifest, and those of `tags` that a registry leaves behind pointing to nothing. Blobs are freed when the registry
 * next collects its garbage. Throws where the registry takes no deletion.
 */
export async function deleteManifest(
  client: RegistryClient,
  image: PinnedImage,
  tags: readonly string[],
): Promise<void> {
  const { repository } = image;
  try {
    await regctl(client, repository, ["manifest", "delete", "--ignore-missing", formatReference(image)]);
  } catch (error) {
    if (error instanceof KilnError && error.message.includes("is read-only")) throw refusesDeletion(repository, error);
    throw error;
  }
  if (tags.length === 0) return;
  const left = (await readTags(client, repository, ".*")).filter((tag) => tags.includes(tag));
  for (const tag of left) {
    // One that points somewhere was pushed again meanwhile.
    if ((await readDigest(client, { repository, tag })) !== undefined) continue;
    await regctl(client, repository, ["tag", "delete", "--ignore-missing", formatReference({ repository, tag })]);
  }
}

function refusesDeletion(repository: string, cause: KilnError): KilnError {
  return new KilnError("unreachable", `the registry ${registryHost(repository)} deletes nothing from ${repository}`, {
    mend: "Allow it: of a distribution registry set storage.delete.enabled, or REGISTRY_STORAGE_DELETE_ENABLED=true.",
    cause,
  });
}
