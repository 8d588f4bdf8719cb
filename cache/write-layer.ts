import { stat } from "node:fs/promises";
import path from "node:path";
import type { LayerFile } from "./layer-archive.ts";
import type { CacheLayer } from "./layers.ts";
import { writeLooseLayer } from "./loose-layer.ts";
import { writePackedLayer, type Packer } from "./packed-layer.ts";

/** A layer on this machine's disk, and how many bytes in it are finished programs. */
export type WrittenLayer = LayerFile & { readonly programBytes: number };

/** Writes a layer as the image is to have it: packed by `packer`, or loose. Whole or not at all. */
export async function writeLayer(
  cache: string,
  layer: CacheLayer,
  packer: Packer | undefined,
  file: string,
): Promise<WrittenLayer> {
  const binaryBytes = layer.binaries.reduce((sum, { bytes }) => sum + bytes, 0);
  if (packer !== undefined) {
    const written = await writePackedLayer(packer, cache, layer, file);
    return { ...written, programBytes: written.programBytes + binaryBytes };
  }
  const sizes = await Promise.all(
    layer.programs.map(async (name) => (await stat(path.join(cache, "go-build", name))).size),
  );
  return {
    ...(await writeLooseLayer(cache, layer, file)),
    programBytes: sizes.reduce((sum, size) => sum + size, binaryBytes),
  };
}
