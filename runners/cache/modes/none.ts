import { cacheNodeSelector } from "../layout.ts";
import type { CacheRendering } from "../attachment.ts";
import type { NoCache } from "../checked-cache.ts";

/** No volume: runners have the caches of their image, and what they add dies with them. */
export function noneRendering(cache: NoCache): CacheRendering {
  return {
    claims: [],
    attachments: [
      {
        key: "shared",
        volumes: [],
        mounts: [],
        initContainers: [],
        env: [],
        nodeSelector: cacheNodeSelector(cache),
        maxRunners: cache.maxRunners,
      },
    ],
    collections: [],
    warnings: cache.warnings,
  };
}
