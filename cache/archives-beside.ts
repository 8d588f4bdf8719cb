import { stat } from "node:fs/promises";
import path from "node:path";
import { concurrently } from "./concurrently.ts";
import type { CacheLayer } from "./layers.ts";
import type { CacheManifest } from "./manifest.ts";
import { archivePrefix } from "./program-reads.ts";

const MIB = 1024 ** 2;

/**
 * From how many bytes on an archive that every program links stands beside its pack, by the bytes of all archives: a large
 * image has room for them. Coarse, so that an edit hardly ever moves one in or out. Measured on the examples: 3.6 GB of archives
 * have 231 MB in 39 such files, and an edited build unpacks that much less.
 */
const CLASSES = [
  { archives: 4096 * MIB, least: 1 * MIB },
  { archives: 2048 * MIB, least: 2 * MIB },
] as const;

/** Layers that say which of their archives are to stand beside their packs; reads the sizes of a cache's archives. */
export async function withArchivesBeside(
  cache: string,
  manifest: CacheManifest,
  layers: readonly CacheLayer[],
): Promise<readonly CacheLayer[]> {
  const sizes = new Map<string, number>();
  await concurrently(Object.keys(manifest.objects), async (name) => {
    sizes.set(name, (await stat(path.join(cache, "go-build", name))).size);
  });
  const beside = chooseArchives(manifest, sizes);
  return layers.map((layer) => ({ ...layer, beside: layer.goBuild.filter((name) => beside.has(name)) }));
}

/** The archives that all programs link, none of the repository's own, and that are large enough; `sizes` has all in bytes. */
export function chooseArchives(
  { programs, objects }: Pick<CacheManifest, "programs" | "objects">,
  sizes: ReadonlyMap<string, number>,
): ReadonlySet<string> {
  const total = [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
  const least = CLASSES.find(({ archives }) => total >= archives)?.least;
  const reads = Object.values(programs).map((program) => new Set(program.reads?.archives));
  if (least === undefined || reads.length === 0) return new Set();
  const isLinked = (name: string) => reads.every((archives) => archives.has(archivePrefix(name)));
  return new Set(Object.keys(objects).filter((name) => (sizes.get(name) ?? 0) >= least && isLinked(name)));
}
