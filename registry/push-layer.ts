import { OCI, pushBlob, pushDocument, pushManifest, type ImageConfig, type RegistryClient } from "./client.ts";

/** A layer on disk, ready to be pushed. */
export interface LayerBlob {
  readonly file: string;
  readonly digest: string;
  readonly size: number;
  readonly diffId: string;
}

/** What says whose a layer is. */
export interface LayerPlace {
  readonly repository: string;
  /** Without one it is found by its digest alone. */
  readonly tag?: string;
  readonly architecture: string;
  readonly createdBy: string;
  /** What else the image that holds it alone says of it. */
  readonly labels?: Readonly<Record<string, string>>;
}

/**
 * Pushes a layer as an image of one layer, so that any tool can read it and no registry collects it before it is
 * composed. Returns the digest of that image.
 */
export async function pushLayer(client: RegistryClient, layer: LayerBlob, place: LayerPlace): Promise<string> {
  await pushBlob(client, place.repository, layer.file, layer.digest);
  const config: ImageConfig = {
    architecture: place.architecture,
    os: "linux",
    config: place.labels === undefined ? {} : { Labels: place.labels },
    rootfs: { type: "layers", diff_ids: [layer.diffId] },
    history: [{ created_by: place.createdBy }],
  };
  return pushManifest(
    client,
    { repository: place.repository, ...(place.tag === undefined ? {} : { tag: place.tag }) },
    {
      schemaVersion: 2,
      mediaType: OCI.manifest,
      config: await pushDocument(client, place.repository, OCI.config, JSON.stringify(config)),
      layers: [{ mediaType: OCI.layer, digest: layer.digest, size: layer.size }],
    },
  );
}
