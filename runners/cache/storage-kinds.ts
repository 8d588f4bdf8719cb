/** How volumes of a driver behave, as far as it decides what two nodes can do to one of them. */
export interface StorageKind {
  /**
   * `local`: the volume carries the affinity of its node. `block`: a disk that the cluster attaches to one node at a time.
   * `network`: a file system that any number of nodes mounts.
   */
  readonly kind: "local" | "block" | "network";
  /** Network only: whether file locks hold between nodes; `asked` where it depends on the protocol of the storage class. */
  readonly locks?: "yes" | "no" | "asked";
  /** Whether the driver makes volumes from snapshots or other volumes. */
  readonly copies: boolean;
}

const LOCAL: StorageKind = { kind: "local", copies: false };
const BLOCK: StorageKind = { kind: "block", copies: true };
const NETWORK: StorageKind = { kind: "network", locks: "yes", copies: false };
const LOCKLESS: StorageKind = { kind: "network", locks: "no", copies: false };

/** Drivers that are known well enough to say something about them; any other is unknown. */
const KINDS: Readonly<Record<string, StorageKind>> = {
  "kubernetes.io/no-provisioner": LOCAL,
  "rancher.io/local-path": LOCAL,
  "openebs.io/local": LOCAL,
  "k8s.io/minikube-hostpath": LOCAL,
  "topolvm.io": { kind: "local", copies: true },
  "local.csi.openebs.io": { kind: "local", copies: true },
  "zfs.csi.openebs.io": { kind: "local", copies: true },
  "ebs.csi.aws.com": BLOCK,
  "ebs.csi.eks.amazonaws.com": BLOCK,
  "kubernetes.io/aws-ebs": BLOCK,
  "pd.csi.storage.gke.io": BLOCK,
  "kubernetes.io/gce-pd": BLOCK,
  "disk.csi.azure.com": BLOCK,
  "kubernetes.io/azure-disk": BLOCK,
  "rbd.csi.ceph.com": BLOCK,
  "rook-ceph.rbd.csi.ceph.com": BLOCK,
  "openshift-storage.rbd.csi.ceph.com": BLOCK,
  "cinder.csi.openstack.org": BLOCK,
  "csi.vsphere.vmware.com": BLOCK,
  "csi.hetzner.cloud": BLOCK,
  "dobs.csi.digitalocean.com": BLOCK,
  "linodebs.csi.linode.com": BLOCK,
  "csi.scaleway.com": BLOCK,
  "driver.longhorn.io": BLOCK,
  "efs.csi.aws.com": NETWORK,
  "fsx.csi.aws.com": NETWORK,
  "filestore.csi.storage.gke.io": NETWORK,
  "nfs.csi.k8s.io": NETWORK,
  "kubernetes.io/nfs": NETWORK,
  "cluster.local/nfs-subdir-external-provisioner": NETWORK,
  "k8s-sigs.io/nfs-subdir-external-provisioner": NETWORK,
  "cephfs.csi.ceph.com": NETWORK,
  "rook-ceph.cephfs.csi.ceph.com": NETWORK,
  "openshift-storage.cephfs.csi.ceph.com": NETWORK,
  "manila.csi.openstack.org": NETWORK,
  "nfs.manila.csi.openstack.org": NETWORK,
  "cephfs.manila.csi.openstack.org": NETWORK,
  "lustre.csi.storage.gke.io": NETWORK,
  "org.gluster.glusterfs": NETWORK,
  "kubernetes.io/glusterfs": NETWORK,
  "csi.juicefs.com": NETWORK,
  "file.csi.azure.com": { ...NETWORK, locks: "asked" },
  "kubernetes.io/azure-file": LOCKLESS,
  "smb.csi.k8s.io": LOCKLESS,
  "blob.csi.azure.com": LOCKLESS,
  "gcsfuse.csi.storage.gke.io": LOCKLESS,
  "s3.csi.aws.com": LOCKLESS,
  "ru.yandex.s3.csi": LOCKLESS,
};

/** What is known of a storage class's provisioner; undefined where that is nothing. */
export function storageKindOf(provisioner: string): StorageKind | undefined {
  return Object.hasOwn(KINDS, provisioner) ? KINDS[provisioner] : undefined;
}

/** Classes that managed clusters come with, under names that mean the same in each of them. */
const CLASSES: readonly (readonly [RegExp, string])[] = [
  [/^azurefile(-csi)?(-premium)?$/, "file.csi.azure.com"],
  [/^azureblob-(fuse|nfs)(-premium)?$/, "blob.csi.azure.com"],
  [/^(standard|premium|enterprise|enterprise-multishare|zonal)-rwx$/, "filestore.csi.storage.gke.io"],
  [/^managed(-csi)?(-premium)?$/, "disk.csi.azure.com"],
  [/^(standard|premium)-rwo$/, "pd.csi.storage.gke.io"],
  [/^local-path$/, "rancher.io/local-path"],
];

/**
 * The provisioner of a storage class that is known by its name alone, so that a preview without a cluster refuses it too;
 * undefined for any other name.
 */
export function provisionerOfClass(storageClass: string): string | undefined {
  return CLASSES.find(([name]) => name.test(storageClass))?.[1];
}
