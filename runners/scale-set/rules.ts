import type { V1PolicyRule } from "@kubernetes/client-node";
import type { ContainerMode } from "./container-mode.ts";

/** What the controller does in a namespace of runners: pods and JIT secrets of runners, and the listener's own Role. */
const MANAGER_RULES: readonly V1PolicyRule[] = [
  rule("", "pods", ["create", "delete", "get"]),
  rule("", "pods/status", ["get"]),
  rule("", "secrets", ["create", "delete", "get", "list", "patch", "update"]),
  rule("", "serviceaccounts", ["create", "delete", "get", "list", "patch", "update"]),
  rule("rbac.authorization.k8s.io", "rolebindings", ["create", "delete", "get", "patch", "update"]),
  rule("rbac.authorization.k8s.io", "roles", ["create", "delete", "get", "patch", "update"]),
];

/** The rules of the Role that the controller's account is bound to. It reads the ConfigMap of a certificate authority. */
export function managerRules(readsCertificateAuthority: boolean): V1PolicyRule[] {
  return [...MANAGER_RULES, ...(readsCertificateAuthority ? [rule("", "configmaps", ["get"])] : [])];
}

/** What the hooks of the runner container do to run a job in another pod, and what is added to that. */
export function hookRules(mode: ContainerMode, additional: readonly V1PolicyRule[] = []): V1PolicyRule[] {
  return [
    rule("", "pods", ["get", "list", "create", "delete"]),
    rule("", "pods/exec", ["get", "create"]),
    rule("", "pods/log", ["get", "list", "watch"]),
    ...(mode === "kubernetes" ? [rule("batch", "jobs", ["get", "list", "create", "delete"])] : []),
    rule("", "secrets", ["get", "list", "create", "delete"]),
    ...additional,
  ];
}

function rule(apiGroup: string, resource: string, verbs: string[]): V1PolicyRule {
  return { apiGroups: [apiGroup], resources: [resource], verbs };
}
