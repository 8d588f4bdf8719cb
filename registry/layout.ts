import { createHash } from "node:crypto";
import { copyFile, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../errors.ts";
import { OCI, type Descriptor, type ImageConfig } from "./client.ts";
import type { LayerBlob } from "./push-layer.ts";

/** The file by which an OCI layout is known. */
const LAYOUT_FILE = "oci-layout";

/**
 * Writes an OCI image layout with one single-layer image for each layer, named by annotation. Whole or
 * not at all; refuses to replace a directory that is neither empty nor a layout.
 */
export async function writeLayout(
  directory: string,
  layers: readonly (LayerBlob & { readonly name: string })[],
  architecture: string,
): Promise<void> {
  const present = await readdir(directory).catch((error: unknown): readonly string[] =>
    (error as NodeJS.ErrnoException).code === "ENOENT" ? [] : [directory],
  );
  if (present.length > 0 && !present.includes(LAYOUT_FILE)) {
    throw new KilnError("usage", `${directory} is neither empty nor an OCI layout; kiln will not replace it`, {
      mend: "Choose another --out.",
    });
  }
  const partial = `${directory}.partial`;
  await rm(partial, { recursive: true, force: true });
  try {
    await fill(partial, layers, architecture);
    await rm(directory, { recursive: true, force: true });
    await rename(partial, directory);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
}

async function fill(
  partial: string,
  layers: readonly (LayerBlob & { readonly name: string })[],
  architecture: string,
): Promise<void> {
  const blobs = path.join(partial, "blobs/sha256");
  await mkdir(blobs, { recursive: true });
  const addDocument = async (mediaType: string, document: unknown): Promise<Descriptor> => {
    const text = JSON.stringify(document);
    const hash = createHash("sha256").update(text).digest("hex");
    await writeFile(path.join(blobs, hash), text);
    return { mediaType, digest: `sha256:${hash}`, size: Buffer.byteLength(text) };
  };
  const manifests: Descriptor[] = [];
  for (const layer of layers) {
    await copyFile(layer.file, path.join(blobs, layer.digest.slice("sha256:".length)));
    const image: ImageConfig = {
      architecture,
      os: "linux",
      config: {},
      rootfs: { type: "layers", diff_ids: [layer.diffId] },
      history: [{ created_by: `kiln cache layers: ${layer.name}` }],
    };
    const config = await addDocument(OCI.config, image);
    const manifest = await addDocument(OCI.manifest, {
      schemaVersion: 2,
      mediaType: OCI.manifest,
      config,
      layers: [{ mediaType: OCI.layer, digest: layer.digest, size: layer.size }],
    });
    manifests.push({ ...manifest, annotations: { "org.opencontainers.image.ref.name": layer.name } });
  }
  await writeFile(path.join(partial, LAYOUT_FILE), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(path.join(partial, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
}
