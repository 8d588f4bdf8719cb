import type { V1EnvVar, V1VolumeMount } from "@kubernetes/client-node";
import path from "node:path";
import { IMAGE_PATHS } from "../../cache/contract.ts";
import type { CacheRequest } from "./request.ts";

/** The name of a pod's cache volume. */
export const CACHE_VOLUME = "kiln-cache";

/** The folder of a volume that holds the module cache: modules are the same for every version of Go. */
export const MODULE_FOLDER = path.basename(IMAGE_PATHS.goModCache);

/** The folder of a volume that is the build cache of one Go version and architecture, which enter every action ID. */
export function cacheKey({ goVersion, arch }: Pick<CacheRequest, "goVersion" | "arch">): string {
  return `go${goVersion}-linux-${arch}`;
}

/**
 * Both caches at the paths for which they were warmed; `modules` is the volume of the module cache, where it has one of its
 * own. kubelet makes the folders with the group and mode of the volume's root, which are the runner's. kiln's lock stands in
 * the build cache, so that runners of one node take turns.
 */
export function cacheMounts(cache: Pick<CacheRequest, "goVersion" | "arch">, modules = CACHE_VOLUME): V1VolumeMount[] {
  return [
    { name: modules, mountPath: IMAGE_PATHS.goModCache, subPath: MODULE_FOLDER },
    { name: CACHE_VOLUME, mountPath: IMAGE_PATHS.goBuildCache, subPath: cacheKey(cache) },
  ];
}

/** Where Go finds its caches: the paths under which they were warmed, as module indexes are keyed by absolute path. */
export function cacheEnv(): V1EnvVar[] {
  return [
    { name: "GOMODCACHE", value: IMAGE_PATHS.goModCache },
    { name: "GOCACHE", value: IMAGE_PATHS.goBuildCache },
  ];
}

/** Where the pods of a cache must run: on its architecture, and on its node where it has one. */
export function cacheNodeSelector({
  arch,
  node,
}: Pick<CacheRequest, "arch" | "node">): Readonly<Record<string, string>> {
  return { "kubernetes.io/arch": arch, ...(node === undefined ? {} : { [HOSTNAME]: node }) };
}

/** The label by which a node is named. `spec.nodeName` would pass by the scheduler, which guards ReadWriteOncePod. */
export const HOSTNAME = "kubernetes.io/hostname";
