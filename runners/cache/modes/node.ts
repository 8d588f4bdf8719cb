import { cacheClaim } from "../claim.ts";
import { cacheEnv, cacheMounts, cacheNodeSelector, CACHE_VOLUME } from "../layout.ts";
import type { CacheRendering } from "../attachment.ts";
import type { NodeCache } from "../checked-cache.ts";
import { garbageCollections } from "../garbage-collection.ts";

/** One volume for all runners, which are pinned to its node: Go's caches serve any number of processes of one machine. */
export function nodeRendering(cache: NodeCache): CacheRendering {
  const claim = cacheClaim(cache, "shared", cache.volume, { localPath: cache.localPath });
  return {
    claims: [claim],
    attachments: [
      {
        key: "shared",
        volumes: [{ name: CACHE_VOLUME, persistentVolumeClaim: { claimName: claim.name } }],
        mounts: cacheMounts(cache),
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
