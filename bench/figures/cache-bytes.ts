import type { Figure, Found } from "../figure.ts";
import { coldBake, type ColdBake } from "../methods/kiln.ts";
import type { PublishedSteps, WholeImage } from "../methods/published.ts";

/** `cache_bytes_disk` and `cache_bytes_compressed`: what of an image is caches and sources. */
export function cacheBytes(published: PublishedSteps, corrected: PublishedSteps): readonly Figure[] {
  const row = (key: "cache_bytes_disk" | "cache_bytes_compressed", limit: number): Figure => ({
    key,
    bounds: [{ name: "", about: "caches and sources, of published", limit, unit: "x" }],
    needs: [published.image, coldBake],
    find: ({ result, maybe }) => cacheBytesOf(key, result(published.image), maybe(corrected.image), result(coldBake)),
  });
  return [row("cache_bytes_disk", 0.15), row("cache_bytes_compressed", 0.75)];
}

/** The ratio, from the image of the published method and a bake, with that of the corrected method beside. */
export function cacheBytesOf(
  key: "cache_bytes_disk" | "cache_bytes_compressed",
  published: CacheSizes,
  corrected: CacheSizes | undefined,
  baked: Pick<ColdBake, "cacheBytes" | "cacheDiskBytes" | "layers" | "programBytes">,
): Found {
  const onDisk = key === "cache_bytes_disk";
  const compressed = baked.layers.reduce((total, { size }) => total + size, 0);
  // Finished programs are in the layers as they travel: packs are compressed already.
  const own = (onDisk ? baked.cacheBytes : compressed) - baked.programBytes;
  const whole = ({ cacheBytes: bytes, compressedBytes }: CacheSizes) => (onDisk ? bytes : compressedBytes);
  return {
    values: { "": own / whole(published) },
    figures: {
      [`${key}_published_bytes`]: whole(published),
      ...(corrected === undefined ? {} : { [`${key}_corrected_bytes`]: whole(corrected) }),
      [`${key}_kiln_bytes`]: own,
      programs_bytes: baked.programBytes,
      ...(onDisk
        ? { cache_blocks_published_bytes: published.cacheDiskBytes, cache_blocks_kiln_bytes: baked.cacheDiskBytes }
        : {}),
    },
  };
}

type CacheSizes = Pick<WholeImage, "cacheBytes" | "cacheDiskBytes" | "compressedBytes">;
