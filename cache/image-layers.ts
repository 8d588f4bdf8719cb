import type { Descriptor } from "../registry/client.ts";
import type { Image } from "../registry/compose.ts";

/** One layer of an image. */
export interface ImageLayer extends Pick<Descriptor, "mediaType" | "digest" | "size"> {
  /** Which of kiln's cache layers it is: `common` or a provider. Absent for layers of the base. */
  readonly cacheLayer?: string;
  /** The step that made it, as the image's history has it. */
  readonly createdBy: string;
}

const CACHE_LAYER = /^kiln cache layers: (.+)$/;

/** The layers of an image in order, each with what its history says. */
export function imageLayers({ manifest, config }: Image): readonly ImageLayer[] {
  const steps = (config.history ?? []).filter((step) => step.empty_layer !== true);
  return manifest.layers.map(({ mediaType, digest, size }, index) => {
    const createdBy = steps[index]?.created_by ?? "";
    const cacheLayer = CACHE_LAYER.exec(createdBy)?.[1];
    return { mediaType, digest, size, createdBy, ...(cacheLayer === undefined ? {} : { cacheLayer }) };
  });
}
