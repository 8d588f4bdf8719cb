import { cacheClaim } from "../claim.ts";
import { cacheEnv, cacheMounts, cacheNodeSelector, CACHE_VOLUME } from "../layout.ts";
import type { CacheRendering } from "../attachment.ts";
import type { SplitCache } from "../checked-cache.ts";
import { garbageCollections } from "../garbage-collection.ts";

const MODULE_VOLUME = "kiln-modules";

/** One module cache for all nodes, which Go guards by file locks, and a build cache that each pod has to itself. */
export function splitRendering(cache: SplitCache): CacheRendering {
  const claim = cacheClaim(cache, "modules", cache.volume);
  return {
    claims: [claim],
    attachments: [
      {
        key: "shared",
        volumes: [
          { name: CACHE_VOLUME, emptyDir: { sizeLimit: cache.buildCacheSize } },
          { name: MODULE_VOLUME, persistentVolumeClaim: { claimName: claim.name } },
        ],
        mounts: cacheMounts(cache, MODULE_VOLUME),
        initContainers: [],
        env: cacheEnv(),
        nodeSelector: cacheNodeSelector(cache),
        maxRunners: cache.maxRunners,
      },
    ],
    collections: garbageCollections(cache, [claim]),
    warnings: cache.warnings,
  };
}
