/** What a stack needs of its cluster. Each wish carries `at`, the key path that it comes from. */
export interface ClusterWanted {
  readonly storageClasses: readonly WantedStorageClass[];
  /** Resource types that the cluster has to serve: of an operator, or of a controller that another stack manages. */
  readonly resourceTypes: readonly WantedResourceType[];
  /** The controller, where another stack manages it. */
  readonly controller?: WantedController | undefined;
  readonly objects: readonly WantedObject[];
  /** What the stack does, and so what its user has to be allowed. */
  readonly permissions: readonly Permission[];
}

export interface WantedStorageClass {
  readonly at: string;
  /** The cluster's default class where undefined. */
  readonly name: string | undefined;
}

export interface WantedResourceType {
  readonly at: string;
  readonly group: string;
  readonly version: string;
  /** As in addresses, such as `podmonitors`. */
  readonly resource: string;
  /** What brings it, for people: `the Prometheus operator`. */
  readonly broughtBy: string;
}

export interface WantedController {
  readonly at: string;
  readonly namespace: string;
  readonly version: string;
}

export interface WantedObject {
  readonly at: string;
  readonly kind: ObjectKind;
  readonly name: string;
  /** Of namespaced kinds. */
  readonly namespace?: string;
  /** Secrets and ConfigMaps: sets of keys, of which all of one have to be there. */
  readonly keys?: readonly (readonly string[])[];
}

export interface Permission {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  /** Every namespace, or none for what has none, where left out. */
  readonly namespace?: string;
}

/** Where objects of a kind are, by what addresses and messages call them. */
export const OBJECT_KINDS = {
  ConfigMap: { base: "/api/v1", group: "", resource: "configmaps" },
  Namespace: { base: "/api/v1", group: "", resource: "namespaces" },
  Node: { base: "/api/v1", group: "", resource: "nodes" },
  PersistentVolumeClaim: { base: "/api/v1", group: "", resource: "persistentvolumeclaims" },
  PriorityClass: { base: "/apis/scheduling.k8s.io/v1", group: "scheduling.k8s.io", resource: "priorityclasses" },
  RuntimeClass: { base: "/apis/node.k8s.io/v1", group: "node.k8s.io", resource: "runtimeclasses" },
  Secret: { base: "/api/v1", group: "", resource: "secrets" },
  VolumeSnapshot: {
    base: "/apis/snapshot.storage.k8s.io/v1",
    group: "snapshot.storage.k8s.io",
    resource: "volumesnapshots",
  },
} as const;

export type ObjectKind = keyof typeof OBJECT_KINDS;

/** What the cluster said about one thing. */
export type Reading<Fact> =
  | { readonly kind: "found"; readonly fact: Fact }
  | { readonly kind: "absent" }
  | { readonly kind: "forbidden"; readonly verb: string; readonly resource: string };

/** What is known of a cluster. No value of a Secret is part of it. */
export interface ClusterFacts {
  /** The address of its API server. */
  readonly server: string;
  /** Who asked, as the kubeconfig names it. */
  readonly user: string;
  readonly storageClasses: Reading<readonly StorageClassFact[]>;
  /** Resources by `group/version`; absent where the cluster does not serve it. */
  readonly served: Readonly<Record<string, readonly string[]>>;
  /** The controllers in the namespace that was asked for. */
  readonly controllers: Reading<readonly ControllerFact[]>;
  /** By `objectKey`. */
  readonly objects: Readonly<Record<string, Reading<ObjectFact>>>;
  readonly denied: readonly Permission[];
}

export interface StorageClassFact {
  readonly name: string;
  readonly provisioner: string;
  readonly volumeBindingMode: string;
  readonly isDefault: boolean;
}

export interface ControllerFact {
  readonly name: string;
  /** Its label `app.kubernetes.io/version`. */
  readonly version: string | undefined;
}

export interface ObjectFact {
  /** Of a Secret or ConfigMap, in order. */
  readonly keys: readonly string[];
  /** What is wrong with it although it is there, as the rest of a sentence. */
  readonly problem?: string;
}

/** The facts, or why there are none. */
export type ClusterReading =
  { readonly kind: "facts"; readonly facts: ClusterFacts } | { readonly kind: "unreachable"; readonly reason: string };

/** The name of an object among the facts. */
export function objectKey({ kind, name, namespace }: Pick<WantedObject, "kind" | "name" | "namespace">): string {
  return `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
}

/** A resource as `kubectl auth can-i` names it: `networkpolicies.networking.k8s.io`. */
export function qualified({ resource, group }: { readonly resource: string; readonly group: string }): string {
  return group === "" ? resource : `${resource}.${group}`;
}
