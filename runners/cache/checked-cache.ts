import type { AccessMode, CacheRequest } from "./request.ts";

/** What every cache says once it is checked. */
export interface CheckedBasics extends Pick<
  CacheRequest,
  "name" | "zone" | "goVersion" | "arch" | "retention" | "protect"
> {
  readonly maxRunners: number | undefined;
  /** The node that all pods are pinned to. */
  readonly node: string | undefined;
  readonly warnings: readonly string[];
}

/** A volume to make. */
export interface CheckedVolume {
  readonly size: string;
  readonly storageClass: string | undefined;
  readonly accessMode: AccessMode;
}

/** What is collected, and when. */
export interface CheckedCollection {
  readonly schedule: string;
  readonly budgetBytes: number;
  readonly minimumAgeHours: number;
}

/** What a copy is made of. */
export type CacheSource =
  { readonly kind: "snapshot"; readonly name: string } | { readonly kind: "claim"; readonly name: string };

export interface LaneCache extends CheckedBasics {
  readonly mode: "lane";
  readonly lanes: number;
  readonly volume: CheckedVolume;
  readonly localPath: string | undefined;
  readonly collection: CheckedCollection | undefined;
}

export interface NodeCache extends CheckedBasics {
  readonly mode: "node";
  readonly volume: CheckedVolume;
  readonly localPath: string | undefined;
  readonly collection: CheckedCollection | undefined;
}

export interface CloneCache extends CheckedBasics {
  readonly mode: "clone";
  readonly volume: CheckedVolume;
  readonly source: CacheSource;
}

export interface SplitCache extends CheckedBasics {
  readonly mode: "split";
  readonly volume: CheckedVolume;
  readonly buildCacheSize: string;
  readonly collection: CheckedCollection | undefined;
}

export interface ReadonlyCache extends CheckedBasics {
  readonly mode: "readonly";
  readonly source: CacheSource;
  /** Of the claim that is made from a snapshot. */
  readonly volume: CheckedVolume | undefined;
  readonly buildCacheSize: string;
  readonly goProxy: string;
}

export interface NoCache extends CheckedBasics {
  readonly mode: "none";
}

/** A request that the rules allow, every default decided: what modes render. */
export type CheckedCache = LaneCache | NodeCache | CloneCache | SplitCache | ReadonlyCache | NoCache;
