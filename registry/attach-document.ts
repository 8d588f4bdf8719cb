import { OCI, pushDocument, pushManifest, readImageManifest, type Descriptor, type RegistryClient } from "./client.ts";
import type { ImageReference } from "./image-reference.ts";

/**
 * Attaches a text to an image as a referrer, listed under the fallback tag that also registries without the referrers API
 * have (OCI distribution 1.1). The same text gives the same referrer. Returns its digest. `more` says what is known of the
 * subject already, which for an index has to be, and how others find the referrer.
 */
export async function attachDocument(
  client: RegistryClient,
  { repository, digest }: ImageReference & { readonly digest: string },
  artifactType: string,
  text: string,
  more: { readonly subject?: Descriptor; readonly annotations?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  const subject = more.subject ?? (await readSubject(client, { repository, digest }));
  return pushManifest(
    client,
    { repository },
    {
      schemaVersion: 2,
      mediaType: OCI.manifest,
      artifactType,
      config: await pushDocument(client, repository, OCI.empty, "{}"),
      layers: [await pushDocument(client, repository, artifactType, text)],
      subject,
      ...(more.annotations === undefined ? {} : { annotations: more.annotations }),
    },
  );
}

async function readSubject(
  client: RegistryClient,
  image: ImageReference & { readonly digest: string },
): Promise<Descriptor> {
  const manifest = await readImageManifest(client, image);
  const size = Buffer.byteLength(JSON.stringify(manifest));
  return { mediaType: manifest.mediaType ?? OCI.manifest, digest: image.digest, size };
}
