import type { CacheRendering } from "./attachment.ts";
import { cloneRendering } from "./modes/clone.ts";
import { laneRendering } from "./modes/lane.ts";
import { nodeRendering } from "./modes/node.ts";
import { noneRendering } from "./modes/none.ts";
import { readonlyRendering } from "./modes/readonly.ts";
import { splitRendering } from "./modes/split.ts";
import { cacheKey } from "./layout.ts";
import type { CacheRequest, Zone } from "./request.ts";
import { checkedCache } from "./rules.ts";
import type { CheckedCache } from "./checked-cache.ts";

/** The volumes of one cache and how runners meet them: plain values, decided before anything is made. */
export interface CachePlan extends CacheRendering {
  readonly name: string;
  readonly zone: Zone;
  readonly mode: CheckedCache["mode"];
  /** The folder of the build cache on a volume, such as `go1.26.8-linux-amd64`. */
  readonly cacheKey: string;
  /** `retain` leaves the claims when the stack is destroyed. */
  readonly retention: "retain" | "delete";
  /** Pulumi refuses to delete the claims before they are unprotected. */
  readonly protect: boolean;
}

/**
 * The plan of a cache. Throws a usage error for what would corrupt a build cache, wait for ever or let one zone poison
 * another, with the reason and the mend; `at` is the key path of the request, which errors begin with.
 */
export function planCache(request: CacheRequest, at: string): CachePlan {
  return renderCache(checkedCache(request, at));
}

/** The plan of what the rules allow. */
export function renderCache(cache: CheckedCache): CachePlan {
  const { name, zone, mode, retention, protect } = cache;
  return { name, zone, mode, cacheKey: cacheKey(cache), retention, protect, ...renderingOf(cache) };
}

function renderingOf(cache: CheckedCache): CacheRendering {
  switch (cache.mode) {
    case "lane":
      return laneRendering(cache);
    case "node":
      return nodeRendering(cache);
    case "clone":
      return cloneRendering(cache);
    case "split":
      return splitRendering(cache);
    case "readonly":
      return readonlyRendering(cache);
    case "none":
      return noneRendering(cache);
  }
}
