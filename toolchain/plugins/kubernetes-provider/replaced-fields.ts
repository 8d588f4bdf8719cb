import type { KubeObject } from "./kube-object.ts";

/** What the provider's own configuration says of ConfigMaps and Secrets, which the official plugin replaces by default. */
export interface Mutability {
  readonly configMaps: boolean;
  readonly secrets: boolean;
}

const SELECTOR = ["spec.selector"];
const CLAIM = ["accessModes", "selector", "storageClassName", "volumeName"];
const STATEFUL = ["podManagementPolicy", "revisionHistoryLimit", "selector", "serviceName", "volumeClaimTemplates"];
const VOLUME = ["azureDisk", "azureFile", "cephfs", "csi", "fc", "hostPath", "iscsi", "local", "nfs", "rbd"];

/**
 * Fields whose change the official plugin answers with a new object, by kind: `forceNew` in pulumi-kubernetes. A field that
 * the API server seals and that is not here fails there, so it fails here too: the program says `replaceOnChanges`.
 */
const REPLACED: Readonly<Record<string, readonly string[]>> = {
  "apps/v1 DaemonSet": SELECTOR,
  "apps/v1 Deployment": SELECTOR,
  "apps/v1 StatefulSet": below("spec", STATEFUL),
  "batch/v1 Job": below("spec", ["completions", "parallelism", "selector", "template"]),
  "rbac.authorization.k8s.io/v1 ClusterRoleBinding": ["roleRef"],
  "rbac.authorization.k8s.io/v1 RoleBinding": ["roleRef"],
  "storage.k8s.io/v1 StorageClass": ["parameters", "provisioner"],
  "v1 PersistentVolume": below("spec", VOLUME),
  "v1 PersistentVolumeClaim": below("spec", CLAIM),
  "v1 Pod": ["spec"],
  "v1 ResourceQuota": ["spec.scopes"],
  "v1 Service": ["spec.clusterIP"],
};

/** The fields whose change makes a new object of this one: `metadata.name`, `spec.selector` and what is below them. */
export function replacedFields(object: KubeObject, mutable: Mutability): readonly string[] {
  const kind = `${object.apiVersion} ${object.kind}`;
  const everyKind = ["apiVersion", "kind", "metadata.name", "metadata.namespace"];
  const sealed = object.immutable === true;
  if (kind === "v1 ConfigMap") {
    return mutable.configMaps && !sealed ? everyKind : [...everyKind, "data", "binaryData"];
  }
  if (kind === "v1 Secret") {
    return mutable.secrets && !sealed ? [...everyKind, "type"] : [...everyKind, "type", "data", "stringData"];
  }
  return [...everyKind, ...(REPLACED[kind] ?? [])];
}

function below(parent: string, fields: readonly string[]): readonly string[] {
  return fields.map((field) => `${parent}.${field}`);
}
