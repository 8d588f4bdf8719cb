import { MOST_LANES } from "../../cache/lanes.ts";
import { checkedBasics } from "./basics.ts";
import { refusalsAt, type CacheRefusal } from "./refusal.ts";
import type { CacheRequest } from "./request.ts";
import {
  checkedSize,
  goCacheVolume,
  goldenAccess,
  kindOf,
  moduleVolume,
  requireCopies,
  requireOneNode,
} from "./volume-rules.ts";
import type { CacheSource, CheckedBasics, CheckedCache } from "./checked-cache.ts";
import { budgetWarning, checkedCollection } from "./collection-rules.ts";

/**
 * A request with every default decided. Throws a usage error where a cache would be corrupted, waited for without end or
 * poisoned; `at` is the key path of the request.
 */
export function checkedCache(request: CacheRequest, at: string): CheckedCache {
  const refuse = refusalsAt(at);
  const basics = checkedBasics(request, refuse);
  switch (request.mode) {
    case "none":
      return { ...basics, mode: "none" };
    case "lane": {
      const volume = goCacheVolume(request, "ReadWriteOncePod", refuse);
      requireOneNode(request, volume, refuse);
      const lanes = checkedLanes(request, refuse);
      return {
        ...basics,
        mode: "lane",
        lanes,
        volume,
        localPath: request.localPath,
        ...collected(request, volume.size, basics, refuse),
      };
    }
    case "node": {
      const volume = goCacheVolume(request, "ReadWriteOnce", refuse);
      requireNode(request, volume.accessMode, refuse);
      return {
        ...basics,
        mode: "node",
        volume,
        localPath: request.localPath,
        ...collected(request, volume.size, basics, refuse),
      };
    }
    case "clone": {
      const volume = goCacheVolume(request, "ReadWriteOnce", refuse);
      requireCopies(request, refuse);
      return { ...basics, mode: "clone", volume, source: checkedSource(request, refuse) };
    }
    case "split": {
      if (request.moduleCache === undefined) {
        throw refuse(
          "moduleCache",
          "is not set",
          "Say which class makes the volume that all nodes share, and its size.",
        );
      }
      const volume = moduleVolume(request, request.moduleCache, refuse);
      const buildCacheSize = checkedSize(request.buildCacheSize, "buildCacheSize", refuse);
      const { collection } = collected(request, volume.size, basics, refuse);
      const warnings = [...basics.warnings, ...moduleWarnings(kindOf(request.moduleCache)?.locks)];
      return { ...basics, mode: "split", volume, buildCacheSize, collection, warnings };
    }
    case "readonly": {
      const source = checkedSource(request, refuse);
      const accessMode = goldenAccess(request, refuse);
      if (source.kind === "snapshot") requireCopies(request, refuse);
      const volume =
        source.kind === "claim"
          ? undefined
          : { size: checkedSize(request.size, "size", refuse), storageClass: request.storageClass, accessMode };
      const buildCacheSize = checkedSize(request.buildCacheSize, "buildCacheSize", refuse);
      const goProxy = request.goProxy ?? "https://proxy.golang.org,direct";
      return { ...basics, mode: "readonly", source, volume, buildCacheSize, goProxy };
    }
  }
}

function checkedLanes({ lanes, maxRunners }: CacheRequest, refuse: CacheRefusal): number {
  const count = lanes ?? maxRunners;
  if (count === undefined) throw refuse("lanes", "is not set", "Set it to how many runners may be at work at once.");
  if (!Number.isSafeInteger(count) || count < 1 || count > MOST_LANES) {
    throw refuse(
      "lanes",
      `is ${count}, which is no number of lanes`,
      `Set it to a whole number from 1 to ${MOST_LANES}.`,
    );
  }
  if (maxRunners !== undefined && maxRunners !== count) {
    throw refuse(
      "maxRunners",
      `is ${maxRunners}, but there are ${count} lanes of one runner each`,
      "Remove it, or set lanes to the same number.",
    );
  }
  return count;
}

function requireNode({ node }: CacheRequest, accessMode: string, refuse: CacheRefusal): void {
  if (node === undefined) {
    throw refuse(
      "node",
      "is not set: nothing would keep runners on the node that has the volume, and those elsewhere would wait for ever",
      "Set it to the value of that node's label kubernetes.io/hostname, or set mode to lane.",
    );
  }
  if (accessMode === "ReadWriteOncePod") {
    throw refuse(
      "accessMode",
      "is ReadWriteOncePod, which lets one pod in: the second runner would wait for ever",
      "Leave it out: ReadWriteOnce. Or set mode to lane.",
    );
  }
}

function checkedSource({ snapshot, sourceClaim }: CacheRequest, refuse: CacheRefusal): CacheSource {
  if (snapshot !== undefined && sourceClaim !== undefined) {
    throw refuse("sourceClaim", "is set beside snapshot: a copy is made of one of them", "Remove one of the two.");
  }
  if (snapshot !== undefined) return { kind: "snapshot", name: checkedName(snapshot, "snapshot", refuse) };
  if (sourceClaim !== undefined) return { kind: "claim", name: checkedName(sourceClaim, "sourceClaim", refuse) };
  throw refuse(
    "snapshot",
    "is not set, nor is sourceClaim: there is nothing to start from",
    "Name a VolumeSnapshot or a claim of the runners' namespace.",
  );
}

function checkedName(name: string, key: string, refuse: CacheRefusal): string {
  if (/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(name)) return name;
  throw refuse(
    key,
    `is ${JSON.stringify(name)}, which is no name of a Kubernetes object`,
    "Use lower-case letters, digits, dashes and dots.",
  );
}

function collected(request: CacheRequest, size: string, { warnings }: CheckedBasics, refuse: CacheRefusal) {
  const collection = checkedCollection(request.garbageCollection, size, refuse);
  return { collection, warnings: [...warnings, ...budgetWarning(collection, size)] };
}

function moduleWarnings(locks: "yes" | "no" | "asked" | undefined): readonly string[] {
  return [
    ...(locks === undefined
      ? [
          "nothing is known of the module cache's storage class: it must be one whose file locks hold between nodes, such as NFSv4",
        ]
      : []),
    "most network file systems ignore fsGroup: let the root of the module cache's volume belong to uid and gid 1001 (of EFS: an access point with that user)",
  ];
}
