import { expect, it } from "vitest";
import { provisionerOfClass, storageKindOf } from "../../../../runners/cache/storage-kinds.ts";

it.each([
  ["ebs.csi.aws.com", "block"],
  ["pd.csi.storage.gke.io", "block"],
  ["disk.csi.azure.com", "block"],
  ["rancher.io/local-path", "local"],
  ["kubernetes.io/no-provisioner", "local"],
  ["efs.csi.aws.com", "network"],
  ["filestore.csi.storage.gke.io", "network"],
  ["cephfs.csi.ceph.com", "network"],
  ["nfs.csi.k8s.io", "network"],
])("%s makes %s volumes", (provisioner, kind) => {
  expect(storageKindOf(provisioner)?.kind).toBe(kind);
});

it.each([
  ["smb.csi.k8s.io", "no"],
  ["s3.csi.aws.com", "no"],
  ["file.csi.azure.com", "asked"],
  ["efs.csi.aws.com", "yes"],
])("the locks of %s: %s", (provisioner, locks) => {
  expect(storageKindOf(provisioner)?.locks).toBe(locks);
});

it.each(["driver.example.com", "constructor", ""])("says nothing of %j", (provisioner) => {
  expect(storageKindOf(provisioner)).toBeUndefined();
});

it.each([
  ["azurefile", "file.csi.azure.com"],
  ["azurefile-csi-premium", "file.csi.azure.com"],
  ["premium-rwx", "filestore.csi.storage.gke.io"],
  ["standard-rwo", "pd.csi.storage.gke.io"],
  ["managed-csi-premium", "disk.csi.azure.com"],
  ["my-azurefile", undefined],
  ["fast", undefined],
])("takes the class %s for one of %s", (storageClass, provisioner) => {
  expect(provisionerOfClass(storageClass)).toBe(provisioner);
});
