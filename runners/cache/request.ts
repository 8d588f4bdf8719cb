/** `trusted` runs what is on protected branches; `untrusted` what anybody proposes. */
export type Zone = "trusted" | "untrusted";

export const CACHE_MODE_NAMES = ["none", "lane", "node", "clone", "split", "readonly"] as const;

/** How runners keep their Go caches from one job to the next. */
export type CacheMode = (typeof CACHE_MODE_NAMES)[number];

export const ACCESS_MODES = ["ReadWriteOncePod", "ReadWriteOnce", "ReadWriteMany", "ReadOnlyMany"] as const;

export type AccessMode = (typeof ACCESS_MODES)[number];

/** One cache as a stack asks for it. What a mode does not need may stay away; what it cannot use is refused. */
export interface CacheRequest {
  /** Begins the names of claims and jobs: a DNS label of at most 40 characters. */
  readonly name: string;
  readonly zone: Zone;
  readonly mode: CacheMode;
  /** Of the runner image, to the patch level, such as `1.26.8`: another one finds nothing in the cache. */
  readonly goVersion: string;
  readonly arch: "amd64" | "arm64";
  /** Of each volume, such as `100Gi`. */
  readonly size?: string | undefined;
  /** The cluster's default class where left out. */
  readonly storageClass?: string | undefined;
  /** Of that class, once the cluster was asked. */
  readonly provisioner?: string | undefined;
  readonly accessMode?: AccessMode | undefined;
  /** Mode lane: how many, each with a volume and one runner. */
  readonly lanes?: number | undefined;
  /** The most runners of all scale sets on this cache together. */
  readonly maxRunners?: number | undefined;
  /** The label `kubernetes.io/hostname` of the node that all users of the volume run on. */
  readonly node?: string | undefined;
  /** A folder of that node as the volume, instead of a storage class; a lane takes a folder `lane-0` and so on below it. */
  readonly localPath?: string | undefined;
  /** Modes clone and readonly: a VolumeSnapshot of the namespace. */
  readonly snapshot?: string | undefined;
  /** Modes clone and readonly: a claim of the namespace. */
  readonly sourceClaim?: string | undefined;
  /** Mode split: the volume of the module cache, which all nodes share. */
  readonly moduleCache?: ModuleCacheRequest | undefined;
  /** Modes split and readonly: the most that the build cache of one pod may take of its node's disk. */
  readonly buildCacheSize?: string | undefined;
  /** Mode readonly: where modules come from that the volume does not have; Go's own default where left out. */
  readonly goProxy?: string | undefined;
  readonly retention: "retain" | "delete";
  readonly protect: boolean;
  /** Nightly, down to 80% of the size, where left out. */
  readonly garbageCollection?: GarbageCollectionRequest | false | undefined;
}

export interface ModuleCacheRequest {
  readonly size?: string | undefined;
  readonly storageClass?: string | undefined;
  readonly provisioner?: string | undefined;
  /** ReadWriteMany where left out. */
  readonly accessMode?: AccessMode | undefined;
  /** Says of a class whose driver speaks several protocols that this one mounts NFSv4: then file locks hold. */
  readonly locking?: boolean | undefined;
}

export interface GarbageCollectionRequest {
  /** A cron expression. */
  readonly schedule?: string | undefined;
  /** What is left when it is done, such as `80Gi`. */
  readonly budget?: string | undefined;
  /** Hours since Go last used an entry before it may go. At least 3. */
  readonly minimumAgeHours?: number | undefined;
}
