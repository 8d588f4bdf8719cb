import type { V1EnvVar, V1Volume } from "@kubernetes/client-node";
import { IMAGE_PATHS } from "../../../cache/contract.ts";
import { cacheClaim } from "../claim.ts";
import { cacheEnv, cacheKey, cacheMounts, cacheNodeSelector, CACHE_VOLUME, MODULE_FOLDER } from "../layout.ts";
import type { CacheRendering, SeedContainer } from "../attachment.ts";
import type { ReadonlyCache } from "../checked-cache.ts";

const GOLDEN_VOLUME = "kiln-golden";
const GOLDEN_PATH = "/mnt/kiln-golden";

/**
 * A golden volume that nobody may write, and an empty one for each pod. Go must be able to write both caches: a module index
 * that a build cache lacks is an error where it cannot be stored. So the build cache is copied first; modules are unpacked
 * from the golden one as from a module proxy, where go.sum is held against each of them once more.
 */
export function readonlyRendering(cache: ReadonlyCache): CacheRendering {
  const { source, volume } = cache;
  const made = volume === undefined ? undefined : cacheClaim(cache, "golden", volume, { source });
  const golden: V1Volume = {
    name: GOLDEN_VOLUME,
    persistentVolumeClaim: { claimName: made?.name ?? source.name, readOnly: true },
  };
  return {
    claims: made === undefined ? [] : [made],
    attachments: [
      {
        key: "shared",
        volumes: [{ name: CACHE_VOLUME, emptyDir: { sizeLimit: cache.buildCacheSize } }, golden],
        mounts: [...cacheMounts(cache), GOLDEN_MOUNT],
        initContainers: [seedContainer(cache)],
        env: [...cacheEnv(), goProxy(cache)],
        nodeSelector: cacheNodeSelector(cache),
        maxRunners: cache.maxRunners,
      },
    ],
    collections: [],
    warnings: cache.warnings,
  };
}

const GOLDEN_MOUNT = { name: GOLDEN_VOLUME, mountPath: GOLDEN_PATH, readOnly: true };

/** A part of a build cache is one as well: what is missing, or cut short, is compiled anew. A lock would be another's. */
const SEED = `
if [ -d "$1" ]; then
  cp -R "$1/." "$2/" || echo "the build cache was copied in part" >&2
  rm -f "$2/lock"
else
  echo "the golden volume has no $1: builds begin cold" >&2
fi`;

function seedContainer(cache: ReadonlyCache): SeedContainer {
  return {
    name: "seed-cache",
    command: ["/bin/sh", "-uc", SEED, "sh", `${GOLDEN_PATH}/${cacheKey(cache)}`, IMAGE_PATHS.goBuildCache],
    volumeMounts: [...cacheMounts(cache), GOLDEN_MOUNT],
  };
}

/** Go asks the next proxy for what the one before it does not have. */
function goProxy(cache: ReadonlyCache): V1EnvVar {
  return { name: "GOPROXY", value: `file://${GOLDEN_PATH}/${MODULE_FOLDER}/cache/download,${cache.goProxy}` };
}
