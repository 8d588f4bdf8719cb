import { regctl, type RegistryClient } from "./client.ts";
import { formatReference, type ImageReference } from "./image-reference.ts";

/** Lets a tag of the same repository name a manifest, of an image or of an index. No layer bytes move. */
export async function tagManifest(
  client: RegistryClient,
  image: ImageReference & { readonly digest: string },
  tag: string,
): Promise<void> {
  const { repository } = image;
  await regctl(client, repository, ["image", "copy", formatReference(image), formatReference({ repository, tag })]);
}
