import { UNKNOWN, type Properties } from "../property-values.ts";
import { isObject } from "./secret-paths.ts";

/** What every Kubernetes object has. The rest depends on its kind. */
export interface KubeObject extends Properties {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMetadata;
}

export interface ObjectMetadata extends Properties {
  readonly name?: string;
  readonly namespace?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly deletionTimestamp?: string;
  readonly generation?: number;
  readonly uid?: string;
}

/** Built-in kinds that stand in no namespace. A custom resource says so itself, in its definition. */
const CLUSTER_KINDS = new Set([
  "APIService",
  "CSIDriver",
  "CSINode",
  "CertificateSigningRequest",
  "ClusterRole",
  "ClusterRoleBinding",
  "CustomResourceDefinition",
  "FlowSchema",
  "IngressClass",
  "MutatingWebhookConfiguration",
  "Namespace",
  "Node",
  "PersistentVolume",
  "PriorityClass",
  "PriorityLevelConfiguration",
  "RuntimeClass",
  "StorageClass",
  "ValidatingAdmissionPolicy",
  "ValidatingAdmissionPolicyBinding",
  "ValidatingWebhookConfiguration",
  "VolumeAttachment",
  "VolumeAttributesClass",
  "VolumeSnapshotClass",
  "VolumeSnapshotContent",
]);

/** Whether a kind stands in no namespace, as far as that is known without a cluster. */
export function isClusterKind(kind: string): boolean {
  return CLUSTER_KINDS.has(kind);
}

/** Whether the group of an object comes with every cluster: it has no dot, or ends in `k8s.io`. */
export function isBuiltIn({ apiVersion }: Pick<KubeObject, "apiVersion">): boolean {
  const [group = "", version] = apiVersion.split("/");
  return version === undefined || !group.includes(".") || group.endsWith(".k8s.io");
}

/** Why these inputs are no object; nothing when they are. */
export function objectProblem(inputs: Properties): string | undefined {
  const { apiVersion, kind, metadata } = inputs;
  if (typeof apiVersion !== "string" || typeof kind !== "string") return "apiVersion and kind must be given";
  if (metadata !== undefined && metadata !== UNKNOWN && !isObject(metadata)) return "metadata must be an object";
  return undefined;
}

/** `namespace/name`, or `name` where the object stands in no namespace: the id that the official plugin gives. */
export function idOf({ metadata }: KubeObject): string {
  const name = metadata.name ?? "";
  return metadata.namespace === undefined ? name : `${metadata.namespace}/${name}`;
}

/** Name and namespace of an id. */
export function namesOfId(id: string): { readonly name: string; readonly namespace?: string } {
  const [first = "", second] = id.split("/");
  return second === undefined ? { name: first } : { namespace: first, name: second };
}

/** `ConfigMap kiln/settings`: how messages name an object. */
export function titleOf(object: KubeObject): string {
  return `${object.kind} ${idOf(object)}`;
}

/** Whether an annotation of Pulumi says `true`. */
export function isAnnotated({ metadata }: KubeObject, name: string, wanted = "true"): boolean {
  return metadata.annotations?.[`pulumi.com/${name}`] === wanted;
}

export interface NamingRules {
  /** The resource's name in the program. */
  readonly resource: string;
  /** What a generated name ends with. */
  readonly suffix: string;
  /** For objects that give none; absent where the kind has no namespace. */
  readonly namespace?: string;
  /** The inputs that the state has, whose generated name stays. */
  readonly before: KubeObject | undefined;
}

/**
 * The object with the name and namespace that it will have. An object without a name gets the resource's, a dash and the
 * suffix, and keeps it from then on, marked by the annotation of the official plugin.
 */
export function named(inputs: Properties, { resource, suffix, namespace, before }: NamingRules): KubeObject {
  const given = isObject(inputs.metadata) ? (inputs.metadata as ObjectMetadata) : {};
  const kept = before !== undefined && isAutonamed(before) ? before.metadata.name : undefined;
  const generated = kept ?? `${resource}-${suffix}`;
  const metadata: ObjectMetadata = {
    ...given,
    ...(given.name === undefined && {
      name: generated,
      annotations: { ...given.annotations, "pulumi.com/autonamed": "true" },
    }),
    ...(namespace !== undefined && given.namespace === undefined && { namespace }),
  };
  return { ...inputs, metadata } as KubeObject;
}

/** Whether the plugin chose the object's name: two of them can be there at once. */
export function isAutonamed(object: KubeObject): boolean {
  return isAnnotated(object, "autonamed");
}
