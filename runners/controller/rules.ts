import type { V1PolicyRule } from "@kubernetes/client-node";
import type { SettledController } from "./settled.ts";
import type { Shape } from "../kubernetes-shape.ts";

/** Rights of the controller's account: a ClusterRole where no namespace is named. */
export interface ControllerGrant {
  /** What its resource is called behind the component's name, and its role behind the full name, where there is a suffix. */
  readonly key: "manager" | "listener" | "leader-election" | "single-namespace" | "single-namespace-watch";
  readonly namespace: string | undefined;
  readonly rules: Shape<V1PolicyRule>[];
}

/**
 * What the controller may do, as the official chart grants it: listeners in its own namespace; scale sets everywhere, or
 * where it watches one namespace there alone. Rights on pods and secrets of runners come from each scale set's manager role.
 */
export function controllerGrants({
  namespace,
  replicas,
  watchSingleNamespace,
}: SettledController): readonly ControllerGrant[] {
  return [
    ...(watchSingleNamespace === undefined
      ? [{ key: "manager", namespace: undefined, rules: CLUSTER_RULES } as const]
      : ([
          { key: "single-namespace", namespace, rules: OWN_NAMESPACE_RULES },
          { key: "single-namespace-watch", namespace: watchSingleNamespace, rules: WATCHED_NAMESPACE_RULES },
        ] as const)),
    { key: "listener", namespace, rules: LISTENER_RULES },
    ...(replicas > 1 ? [{ key: "leader-election", namespace, rules: LEADER_RULES } as const] : []),
  ];
}

const ARC = "actions.github.com";
const RBAC = "rbac.authorization.k8s.io";
const MANAGE = ["create", "delete", "get", "list", "patch", "update", "watch"];
const SEE = ["list", "watch"];

const CHILDREN_SEEN = [rule("", "pods", SEE), rule("", "serviceaccounts", SEE), rule(RBAC, "rolebindings", SEE)];

const CLUSTER_RULES = [
  ...managed("autoscalingrunnersets"),
  ...managed("autoscalinglisteners"),
  ...managed("ephemeralrunnersets"),
  ...managed("ephemeralrunners"),
  ...CHILDREN_SEEN,
  rule(RBAC, "roles", [...SEE, "patch"]),
];

const OWN_NAMESPACE_RULES = [
  ...managed("autoscalinglisteners"),
  ...CHILDREN_SEEN,
  rule(RBAC, "roles", SEE),
  rule(ARC, "autoscalingrunnersets", SEE),
  rule(ARC, "ephemeralrunnersets", SEE),
  rule(ARC, "ephemeralrunners", SEE),
];

const WATCHED_NAMESPACE_RULES = [
  ...managed("autoscalingrunnersets"),
  ...managed("ephemeralrunnersets"),
  ...managed("ephemeralrunners"),
  rule(ARC, "autoscalinglisteners", SEE),
  ...CHILDREN_SEEN,
  rule(RBAC, "roles", [...SEE, "patch"]),
];

const LISTENER_RULES = [
  rule("", "pods", ["create", "delete", "get"]),
  rule("", "pods/status", ["get"]),
  rule("", "secrets", ["create", "delete", "get", "patch", "update"]),
  rule("", "serviceaccounts", ["create", "delete", "get", "patch", "update"]),
];

const LEADER_RULES = [
  rule("coordination.k8s.io", "leases", ["get", "watch", "list", "delete", "update", "create"]),
  rule("", "events", ["create", "patch"]),
];

function managed(resource: string): Shape<V1PolicyRule>[] {
  return [
    rule(ARC, resource, MANAGE),
    rule(ARC, `${resource}/finalizers`, ["patch", "update"]),
    rule(ARC, `${resource}/status`, ["get", "patch", "update"]),
  ];
}

function rule(apiGroup: string, resource: string, verbs: readonly string[]): Shape<V1PolicyRule> {
  return { apiGroups: [apiGroup], resources: [resource], verbs: [...verbs] };
}
