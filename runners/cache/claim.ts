import type {
  V1PersistentVolumeClaimSpec,
  V1PersistentVolumeSpec,
  V1TypedLocalObjectReference,
} from "@kubernetes/client-node";
import { HOSTNAME } from "./layout.ts";
import type { CacheSource, CheckedBasics, CheckedVolume } from "./checked-cache.ts";

/** All of a volume but the claim that it is kept for. */
export type LocalVolumeSpec = Pick<V1PersistentVolumeSpec, keyof V1PersistentVolumeSpec>;

/** A claim that the plan makes. */
export interface CacheClaim {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: V1PersistentVolumeClaimSpec;
  /** A volume made beforehand, bound to this claim alone: a folder of one node. */
  readonly localVolume: LocalVolumeSpec | undefined;
}

/** A claim of a cache; `part` tells it from the other volumes of the same cache. */
export function cacheClaim(
  cache: CheckedBasics,
  part: string,
  volume: CheckedVolume,
  from: { readonly source?: CacheSource; readonly localPath?: string | undefined } = {},
): CacheClaim {
  const localVolume = localVolumeOf(cache.node, volume, from.localPath);
  return {
    name: `${cache.name}-${part}`,
    labels: cacheLabels(cache, part),
    // An empty class keeps the cluster's default from making a volume: the one that is there names this claim.
    spec: claimSpec(localVolume === undefined ? volume : { ...volume, storageClass: "" }, from.source),
    localVolume,
  };
}

/** The spec of a claim, or of the template of one. */
export function claimSpec(
  { size, storageClass, accessMode }: CheckedVolume,
  source?: CacheSource,
): V1PersistentVolumeClaimSpec {
  return {
    accessModes: [accessMode],
    ...(storageClass === undefined ? {} : { storageClassName: storageClass }),
    ...(source === undefined ? {} : { dataSource: dataSource(source) }),
    resources: { requests: { storage: size } },
  };
}

/** Labels of what a cache is made of. */
export function cacheLabels(cache: CheckedBasics, part: string): Record<string, string> {
  return {
    "app.kubernetes.io/managed-by": "pulumi",
    "app.kubernetes.io/component": "go-cache",
    "kiln.dev/cache": cache.name,
    "kiln.dev/cache-part": part,
    "kiln.dev/zone": cache.zone,
    "kiln.dev/go-version": cache.goVersion,
    "kiln.dev/arch": cache.arch,
  };
}

function dataSource({ kind, name }: CacheSource): V1TypedLocalObjectReference {
  return kind === "claim"
    ? { kind: "PersistentVolumeClaim", name }
    : { apiGroup: "snapshot.storage.k8s.io", kind: "VolumeSnapshot", name };
}

/** A folder of a node as a volume. Unlike a hostPath it is given to the runner's group, and pods follow its node. */
function localVolumeOf(
  node: string | undefined,
  { size, accessMode }: CheckedVolume,
  folder: string | undefined,
): LocalVolumeSpec | undefined {
  if (node === undefined || folder === undefined) return undefined;
  return {
    capacity: { storage: size },
    accessModes: [accessMode],
    volumeMode: "Filesystem",
    storageClassName: "",
    // Nothing could delete the folder.
    persistentVolumeReclaimPolicy: "Retain",
    local: { path: folder },
    nodeAffinity: {
      required: { nodeSelectorTerms: [{ matchExpressions: [{ key: HOSTNAME, operator: "In", values: [node] }] }] },
    },
  };
}
