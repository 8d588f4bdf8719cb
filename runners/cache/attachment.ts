import type { V1Container, V1EnvVar, V1Volume, V1VolumeMount } from "@kubernetes/client-node";
import type { CacheClaim } from "./claim.ts";
import type { GarbageCollection } from "./garbage-collection.ts";

/** How the pods of one scale set meet their cache. Claims are named by fixed names. */
export interface CacheAttachment {
  /** `lane-0` and so on, or `shared`: one for all runners. */
  readonly key: string;
  readonly volumes: readonly V1Volume[];
  /** Mounts of the container `runner`, and of no other. */
  readonly mounts: readonly V1VolumeMount[];
  /** Run first, in the runner's own image: they seed a copy that the runner may write. */
  readonly initContainers: readonly SeedContainer[];
  readonly env: readonly V1EnvVar[];
  /** Where pods must run. Nothing may overrule it: it keeps a cache on one node, and of one architecture. */
  readonly nodeSelector: Readonly<Record<string, string>>;
  /** The most runners that may be at work on it at once. */
  readonly maxRunners: number | undefined;
}

/** A container of the runner's image. */
export type SeedContainer = Omit<V1Container, "image">;

/** What a mode decides of a plan. */
export interface CacheRendering {
  readonly claims: readonly CacheClaim[];
  readonly attachments: readonly CacheAttachment[];
  readonly collections: readonly GarbageCollection[];
  /** What a preview says: allowed, but with a price. */
  readonly warnings: readonly string[];
}
