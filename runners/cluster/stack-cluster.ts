import type { RunnersSettings } from "../../settings.ts";
import type { ClusterSettings, ControllerSettings } from "../../settings/cluster.ts";
import { CRD_GROUP, CRD_KINDS } from "../controller/crd-pins.ts";
import type { ClusterWanted, Permission, WantedObject, WantedResourceType, WantedStorageClass } from "./wanted.ts";
import { GITHUB_SECRET_KEYS } from "../namespace/credentials.ts";
import { buildkitOf, type NamespacePlan, type TenantPlan } from "../tenant/plan.ts";

/** What a stack needs of its cluster: all that a preview can ask before anything is made. */
export function clusterWanted(
  { controller, tenants, cluster }: RunnersSettings,
  plans: Readonly<Record<string, TenantPlan>>,
  file: string,
): ClusterWanted {
  const zones = Object.entries(plans).flatMap(([tenant, { namespaces }]) =>
    namespaces.map((namespace) => ({ tenant, namespace })),
  );
  const namespaces = zones.map(({ namespace }) => namespace);
  return {
    storageClasses: namespaces.flatMap(storageClasses),
    resourceTypes: [
      ...(controller.manage ? [] : crds(`${file}: kiln:controller.manage`)),
      ...(cluster.monitoring === "prometheus-operator" ? monitors(`${file}: kiln:cluster.monitoring`) : []),
      ...namespaces.flatMap(snapshots),
    ],
    controller: controller.manage
      ? undefined
      : { at: `${file}: kiln:controller`, namespace: controller.namespace, version: controller.version },
    objects: [
      ...watched(controller, namespaces, `${file}: kiln:controller.watchNamespace`),
      ...namespaces.flatMap(placement),
      ...zones.flatMap(({ tenant, namespace }) => {
        const credentials = tenants[tenant]?.credentials;
        if (credentials?.kind !== "existing") return [];
        const at = `${file}: kiln:tenants.${tenant}.credentials.secret`;
        const keys = Object.values(GITHUB_SECRET_KEYS);
        return [{ at, kind: "Secret" as const, name: credentials.secretName, namespace: namespace.name, keys }];
      }),
    ],
    permissions: permissions(namespaces, controller, cluster),
  };
}

/** The classes of the claims that a zone makes; a copy's claim is made later, with its class. */
function storageClasses({ cache, zone }: NamespacePlan): WantedStorageClass[] {
  if (cache === undefined || zone.cache === undefined) return [];
  const { at } = zone.cache;
  const made = cache.claims.filter(({ localVolume }) => localVolume === undefined);
  return made.map(({ spec }) => ({ at: `${at}.storageClass`, name: spec.storageClassName }));
}

/** What pods name that has to be there already. */
function placement({ name, zone, sets }: NamespacePlan): WantedObject[] {
  const { cache } = zone;
  const node = cache?.node;
  const source = cache?.sourceClaim;
  return [
    ...(cache !== undefined && node !== undefined
      ? [{ at: `${cache.at}.node`, kind: "Node" as const, name: node }]
      : []),
    ...(cache !== undefined && source !== undefined
      ? [{ at: `${cache.at}.sourceClaim`, kind: "PersistentVolumeClaim" as const, name: source, namespace: name }]
      : []),
    ...(cache?.snapshot === undefined
      ? []
      : [{ at: `${cache.at}.snapshot`, kind: "VolumeSnapshot" as const, name: cache.snapshot, namespace: name }]),
    ...sets.flatMap(({ settings: { at, priorityClass, runtimeClass } }) => [
      ...(priorityClass === undefined
        ? []
        : [{ at: `${at}.priorityClass`, kind: "PriorityClass" as const, name: priorityClass }]),
      ...(runtimeClass === undefined
        ? []
        : [{ at: `${at}.runtimeClass`, kind: "RuntimeClass" as const, name: runtimeClass }]),
    ]),
  ];
}

function snapshots({ zone: { cache } }: NamespacePlan): WantedResourceType[] {
  if (cache?.snapshot === undefined) return [];
  const type = { group: "snapshot.storage.k8s.io", version: "v1", resource: "volumesnapshots" };
  return [{ at: `${cache.at}.snapshot`, ...type, broughtBy: "the snapshot controller of your storage driver" }];
}

function crds(at: string): WantedResourceType[] {
  return Object.keys(CRD_KINDS).map((resource) => ({
    at,
    group: CRD_GROUP,
    version: "v1alpha1",
    resource,
    broughtBy: "actions-runner-controller, with the stack that manages it,",
  }));
}

function monitors(at: string): WantedResourceType[] {
  return ["podmonitors", "prometheusrules"].map((resource) => ({
    at,
    group: "monitoring.coreos.com",
    version: "v1",
    resource,
    broughtBy: "the Prometheus operator",
  }));
}

/** The one namespace that the controller gets a role in, where it is none of the stack's own. */
function watched(
  { manage, watchNamespace: name }: ControllerSettings,
  namespaces: readonly NamespacePlan[],
  at: string,
): WantedObject[] {
  if (!manage || name === undefined || namespaces.some((own) => own.name === name)) return [];
  return [{ at, kind: "Namespace", name }];
}

/** A role can only be given by whom it is given to, or by whom may `escalate`: so no right beyond making one is asked for. */
function permissions(
  namespaces: readonly NamespacePlan[],
  controller: ControllerSettings,
  cluster: ClusterSettings,
): readonly Permission[] {
  const monitored = cluster.monitoring === "prometheus-operator";
  const builders = namespaces.some((namespace) => buildkitOf(namespace) !== undefined);
  const folders = namespaces.some(({ cache }) => cache?.claims.some(({ localVolume }) => localVolume !== undefined));
  return [
    ...creates("", ["namespaces", "serviceaccounts"]),
    ...creates("rbac.authorization.k8s.io", ["roles", "rolebindings"]),
    ...(namespaces.length > 0 ? RUNNERS : []),
    ...(controller.manage ? CONTROLLER : []),
    ...(builders || monitored ? creates("", ["configmaps"]) : []),
    ...(builders ? [...creates("", ["services"]), ...creates("apps", ["statefulsets"])] : []),
    ...(monitored ? creates("monitoring.coreos.com", ["podmonitors", "prometheusrules"]) : []),
    ...(folders ? creates("", ["persistentvolumes"]) : []),
  ];
}

function creates(group: string, resources: readonly string[]): readonly Permission[] {
  return resources.map((resource) => ({ verb: "create", group, resource }));
}

const RUNNERS: readonly Permission[] = [
  ...creates("", ["persistentvolumeclaims", "resourcequotas", "limitranges", "secrets"]),
  ...creates("networking.k8s.io", ["networkpolicies"]),
  ...creates("batch", ["cronjobs"]),
  ...creates("apps", ["daemonsets"]),
  ...creates(CRD_GROUP, ["autoscalingrunnersets"]),
];

const CONTROLLER: readonly Permission[] = [
  ...creates("apiextensions.k8s.io", ["customresourcedefinitions"]),
  ...creates("rbac.authorization.k8s.io", ["clusterroles", "clusterrolebindings"]),
  ...creates("apps", ["deployments"]),
];
