import { laneKey } from "../../../cache/lanes.ts";
import { cacheClaim } from "../claim.ts";
import { cacheEnv, cacheMounts, cacheNodeSelector, CACHE_VOLUME } from "../layout.ts";
import type { CacheRendering } from "../attachment.ts";
import type { LaneCache } from "../checked-cache.ts";
import { garbageCollections } from "../garbage-collection.ts";

/** A volume and a scale set of one runner for each lane: a shard that is sent to its lane finds what it left there. */
export function laneRendering(cache: LaneCache): CacheRendering {
  const lanes = Array.from({ length: cache.lanes }, (_, index) => {
    const key = laneKey(index);
    const localPath = cache.localPath === undefined ? undefined : `${cache.localPath}/${key}`;
    return { key, claim: cacheClaim(cache, key, cache.volume, { localPath }) };
  });
  const claims = lanes.map(({ claim }) => claim);
  return {
    claims,
    attachments: lanes.map(({ key, claim }) => ({
      key,
      volumes: [{ name: CACHE_VOLUME, persistentVolumeClaim: { claimName: claim.name } }],
      mounts: cacheMounts(cache),
      initContainers: [],
      env: cacheEnv(),
      nodeSelector: cacheNodeSelector(cache),
      maxRunners: 1,
    })),
    collections: garbageCollections(cache, claims),
    warnings: cache.warnings,
  };
}
