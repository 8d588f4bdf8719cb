import { cacheLabels, claimSpec } from "../claim.ts";
import { cacheEnv, cacheMounts, cacheNodeSelector, CACHE_VOLUME } from "../layout.ts";
import type { CacheRendering } from "../attachment.ts";
import type { CloneCache } from "../checked-cache.ts";

/** A volume for each pod, made of a snapshot or another volume: it is the pod's alone, and dies with it. */
export function cloneRendering(cache: CloneCache): CacheRendering {
  const volumeClaimTemplate = {
    metadata: { labels: cacheLabels(cache, "clone") },
    spec: claimSpec(cache.volume, cache.source),
  };
  return {
    claims: [],
    attachments: [
      {
        key: "shared",
        volumes: [{ name: CACHE_VOLUME, ephemeral: { volumeClaimTemplate } }],
        mounts: cacheMounts(cache),
        initContainers: [],
        env: cacheEnv(),
        nodeSelector: cacheNodeSelector(cache),
        maxRunners: cache.maxRunners,
      },
    ],
    collections: [],
    warnings: cache.warnings,
  };
}
