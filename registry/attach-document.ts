import { OCI, pushDocument, pushManifest, readImageManifest, type RegistryClient } from "./client.ts";
import type { ImageReference } from "./image-reference.ts";

/**
 * Attaches a text to an image as a referrer, listed under the fallback tag that also registries without the referrers API
 * have (OCI distribution 1.1). The same text gives the same referrer. Returns its digest.
 */
export async function attachDocument(
  client: RegistryClient,
  { repository, digest }: ImageReference & { readonly digest: string },
  artifactType: string,
  text: string,
): Promise<string> {
  const manifest = await readImageManifest(client, { repository, digest });
  return pushManifest(
    client,
    { repository },
    {
      schemaVersion: 2,
      mediaType: OCI.manifest,
      artifactType,
      config: await pushDocument(client, repository, OCI.empty, "{}"),
      layers: [await pushDocument(client, repository, artifactType, text)],
      subject: {
        mediaType: manifest.mediaType ?? OCI.manifest,
        digest,
        size: Buffer.byteLength(JSON.stringify(manifest)),
      },
    },
  );
}
