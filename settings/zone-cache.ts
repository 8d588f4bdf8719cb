import {
  ACCESS_MODES,
  CACHE_MODE_NAMES,
  type AccessMode,
  type CacheRequest,
  type GarbageCollectionRequest,
  type ModuleCacheRequest,
} from "../runners/cache/request.ts";
import { choiceOf, countOf, flagOf, section, textOf, type Field } from "./field.ts";
import { storageClassOf } from "./kubernetes-values.ts";

/** How the Go caches of a zone's runners persist. What each mode allows is decided by `runners/cache/rules.ts`. */
export interface CacheSettings extends Omit<
  CacheRequest,
  "name" | "zone" | "goVersion" | "arch" | "provisioner" | "maxRunners"
> {
  /** The key path, for what the plan refuses. */
  readonly at: string;
}

const CACHE = [
  "mode",
  "size",
  "storageClass",
  "accessMode",
  "lanes",
  "node",
  "localPath",
  "snapshot",
  "sourceClaim",
  "moduleCache",
  "buildCacheSize",
  "goProxy",
  "retention",
  "protect",
  "garbageCollection",
] as const;

/** The cache of a zone; nothing where it has none. Throws a usage error that names the key. */
export function cacheOf(field: Field): CacheSettings | undefined {
  if (field.value === undefined) return undefined;
  const cache = section(field, CACHE);
  return Object.freeze({
    at: `${field.file}: ${field.key}`,
    mode: choiceOf(cache("mode"), CACHE_MODE_NAMES, "lane"),
    size: textOf(cache("size")),
    storageClass: storageClassOf(cache("storageClass")),
    accessMode: accessModeOf(cache("accessMode")),
    lanes: countOf(cache("lanes")),
    node: textOf(cache("node")),
    localPath: textOf(cache("localPath")),
    snapshot: textOf(cache("snapshot")),
    sourceClaim: textOf(cache("sourceClaim")),
    moduleCache: moduleCacheOf(cache("moduleCache")),
    buildCacheSize: textOf(cache("buildCacheSize")),
    goProxy: textOf(cache("goProxy")),
    retention: choiceOf(cache("retention"), ["delete", "retain"] as const, "delete"),
    protect: flagOf(cache("protect"), false),
    garbageCollection: collectionOf(cache("garbageCollection")),
  });
}

function moduleCacheOf(field: Field): ModuleCacheRequest | undefined {
  if (field.value === undefined) return undefined;
  const modules = section(field, ["storageClass", "size", "accessMode", "locking"]);
  return Object.freeze({
    storageClass: storageClassOf(modules("storageClass")),
    size: textOf(modules("size")),
    accessMode: accessModeOf(modules("accessMode")),
    locking: flagOf(modules("locking"), false),
  });
}

function accessModeOf(field: Field): AccessMode | undefined {
  return field.value === undefined ? undefined : choiceOf(field, ACCESS_MODES, "ReadWriteOncePod");
}

function collectionOf(field: Field): GarbageCollectionRequest | false | undefined {
  if (field.value === undefined) return undefined;
  if (field.value === false) return false;
  const collection = section(field, ["schedule", "budget", "minimumAgeHours"]);
  return Object.freeze({
    schedule: textOf(collection("schedule")),
    budget: textOf(collection("budget")),
    minimumAgeHours: countOf(collection("minimumAgeHours")),
  });
}
