import type { AccessMode, CacheRequest, ModuleCacheRequest } from "./request.ts";
import { UNSAFE_GO_CACHE, type CacheRefusal } from "./refusal.ts";
import type { CheckedVolume } from "./checked-cache.ts";
import { bytesOf } from "./quantity.ts";
import { provisionerOfClass, storageKindOf, type StorageKind } from "./storage-kinds.ts";

/** What a volume is asked to be. */
type VolumeRequest = Pick<CacheRequest, "size" | "storageClass" | "provisioner" | "accessMode">;

/** The kind of storage behind a class: by its provisioner, else by names that managed clusters use; undefined if unknown. */
export function kindOf({ provisioner, storageClass }: VolumeRequest): StorageKind | undefined {
  const driver = provisioner ?? (storageClass === undefined ? undefined : provisionerOfClass(storageClass));
  return driver === undefined ? undefined : storageKindOf(driver);
}

/** A size that is a quantity. `key` is where it stands. */
export function checkedSize(size: string | undefined, key: string, refuse: CacheRefusal): string {
  const mend = "Set it to a size such as 100Gi.";
  if (size === undefined) throw refuse(key, "is not set", mend);
  if (bytesOf(size) === undefined)
    throw refuse(key, `is ${JSON.stringify(size)}, which is no Kubernetes quantity`, mend);
  return size;
}

/** A volume that a build cache stands on: of block storage or a local disk, and written from one node. */
export function goCacheVolume(request: CacheRequest, otherwise: AccessMode, refuse: CacheRefusal): CheckedVolume {
  const { storageClass, provisioner, accessMode = otherwise } = request;
  if (accessMode === "ReadWriteMany" || accessMode === "ReadOnlyMany") {
    throw refuse(
      "accessMode",
      `is ${accessMode}, under which several nodes have one build cache; ${UNSAFE_GO_CACHE}`,
      "Leave it out. Mode split shares modules between nodes, mode readonly gives each pod a copy.",
    );
  }
  if (kindOf(request)?.kind === "network") {
    throw refuse(
      "storageClass",
      `${named(storageClass)} makes network file systems${by(provisioner)}; ${UNSAFE_GO_CACHE}`,
      "Choose a class of block volumes or local disks. Mode split keeps only modules on a network file system.",
    );
  }
  return { size: checkedSize(request.size, "size", refuse), storageClass, accessMode };
}

/** Refuses ReadWriteOnce where nothing is known to keep the pods of a lane on one node. */
export function requireOneNode(request: CacheRequest, { accessMode }: CheckedVolume, refuse: CacheRefusal): void {
  const kind = kindOf(request)?.kind;
  if (accessMode !== "ReadWriteOnce" || request.node !== undefined || kind === "local" || kind === "block") return;
  throw refuse(
    "accessMode",
    "is ReadWriteOnce on storage of which nothing is known: a runner that ends slowly, its successor and the garbage collection may be on several nodes",
    "Leave it out: ReadWriteOncePod lets one pod in. Or set node.",
  );
}

/** The volume of a module cache that all nodes share. Go guards it by file locks, which must hold between nodes. */
export function moduleVolume(request: CacheRequest, modules: ModuleCacheRequest, refuse: CacheRefusal): CheckedVolume {
  const { storageClass, provisioner, accessMode = "ReadWriteMany", locking } = modules;
  const kind = kindOf(modules);
  if (accessMode === "ReadOnlyMany" || accessMode === "ReadWriteOncePod") {
    throw refuse(
      "moduleCache.accessMode",
      accessMode === "ReadOnlyMany"
        ? "is ReadOnlyMany, but every runner adds modules"
        : "is ReadWriteOncePod, which lets one pod in: the second runner would wait for ever",
      "Leave it out: ReadWriteMany.",
    );
  }
  if (accessMode === "ReadWriteOnce" && request.node === undefined) {
    throw refuse(
      "moduleCache.accessMode",
      "is ReadWriteOnce, but nothing keeps the runners on the node that has the volume",
      "Leave it out: ReadWriteMany. Or set node, and think of mode node.",
    );
  }
  if (accessMode === "ReadWriteMany" && kind !== undefined && kind.kind !== "network") {
    throw refuse(
      "moduleCache.storageClass",
      `${named(storageClass)} makes volumes of one node${by(provisioner)}: a ReadWriteMany claim would wait for ever`,
      "Choose a class of NFSv4, CephFS or the like, or mode lane.",
    );
  }
  if (kind?.locks === "no" || (kind?.locks === "asked" && locking !== true)) {
    throw refuse(
      "moduleCache.storageClass",
      `${named(storageClass)} makes file systems whose locks do not hold between nodes${by(provisioner)}; Go locks its module cache (golang/go#26794, golang/go#49894)`,
      kind.locks === "no"
        ? "Choose a class of NFSv4, CephFS or the like; not SMB, not object storage."
        : "Choose a class that mounts NFSv4 and set moduleCache.locking to true; SMB will not do.",
    );
  }
  return { size: checkedSize(modules.size, "moduleCache.size", refuse), storageClass, accessMode };
}

/** The volume that is made of a snapshot and read by pods of all nodes, or of one. */
export function goldenAccess(request: CacheRequest, refuse: CacheRefusal): AccessMode {
  const { accessMode = "ReadOnlyMany", node } = request;
  if (accessMode === "ReadWriteOncePod") {
    throw refuse(
      "accessMode",
      "is ReadWriteOncePod, which lets one pod in: the second reader would wait for ever",
      ROX,
    );
  }
  if (accessMode === "ReadWriteOnce" && node === undefined) {
    throw refuse("accessMode", "is ReadWriteOnce, but nothing keeps the readers on the node that has the volume", ROX);
  }
  return accessMode;
}

const ROX = "Leave it out: ReadOnlyMany. With ReadWriteOnce, set node to where the volume is.";

/** Refuses to copy volumes with a driver that is known not to. */
export function requireCopies(request: CacheRequest, refuse: CacheRefusal): void {
  if (kindOf(request)?.copies !== false) return;
  throw refuse(
    "storageClass",
    `${named(request.storageClass)} makes no volumes from others${by(request.provisioner)}: the claim would wait for ever`,
    "Choose a class whose CSI driver clones volumes or restores snapshots.",
  );
}

function named(storageClass: string | undefined): string {
  return storageClass === undefined
    ? "is not set, and the cluster's default class"
    : `is ${JSON.stringify(storageClass)}, which`;
}

function by(provisioner: string | undefined): string {
  return provisioner === undefined ? "" : ` (${provisioner})`;
}
