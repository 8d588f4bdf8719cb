import type { V1PolicyRule } from "@kubernetes/client-node";
import type { ControllerReference } from "./arc.ts";
import { controllerDeployment, type ControllerDeployment } from "./deployment.ts";
import { controllerLabels, type ControllerMetadata } from "./labels.ts";
import { controllerGrants, type ControllerGrant } from "./rules.ts";
import type { SettledController } from "./settled.ts";
import type { Shape } from "../kubernetes-shape.ts";

/** All objects of a controller beside its CRDs and its namespace, as they are sent to Kubernetes. */
export interface ControllerObjects {
  /** Nothing where the request names an account that exists. */
  readonly serviceAccount: { readonly metadata: ControllerMetadata } | undefined;
  readonly roles: readonly GrantedRole[];
  readonly deployment: ControllerDeployment;
}

/** A role and who is bound to it; a ClusterRole where its metadata has no namespace. */
export interface GrantedRole {
  readonly key: ControllerGrant["key"];
  readonly role: { readonly metadata: ControllerMetadata; readonly rules: Shape<V1PolicyRule>[] };
  readonly binding: {
    readonly metadata: ControllerMetadata;
    readonly roleRef: { readonly apiGroup: string; readonly kind: "ClusterRole" | "Role"; readonly name: string };
    readonly subjects: { readonly kind: "ServiceAccount"; readonly name: string; readonly namespace: string }[];
  };
}

/** Renders a request that `requireController` has checked: the objects of the official chart, with its names. */
export function controllerObjects(controller: SettledController): ControllerObjects {
  return {
    serviceAccount: controller.createServiceAccount === false ? undefined : serviceAccount(controller),
    roles: controllerGrants(controller).map((grant) => grantedRole(controller, grant)),
    deployment: controllerDeployment(controller),
  };
}

/** What scale sets need to know of a controller. */
export function controllerReference(controller: SettledController): ControllerReference {
  const { namespace, serviceAccountName: serviceAccount, version } = controller;
  return { namespace, serviceAccount, version };
}

function serviceAccount(controller: SettledController): { readonly metadata: ControllerMetadata } {
  const { serviceAccountName: name, namespace, serviceAccountAnnotations } = controller;
  const annotations = serviceAccountAnnotations === undefined ? {} : { annotations: { ...serviceAccountAnnotations } };
  return { metadata: { name, namespace, labels: controllerLabels(controller), ...annotations } };
}

function grantedRole(controller: SettledController, { key, namespace, rules }: ControllerGrant): GrantedRole {
  const name = key === "manager" ? controller.fullName : `${controller.fullName}-${key}`;
  const metadata = namespace === undefined ? { name } : { name, namespace };
  const kind = namespace === undefined ? "ClusterRole" : "Role";
  return {
    key,
    role: { metadata, rules },
    binding: {
      metadata,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind, name },
      subjects: [{ kind: "ServiceAccount", name: controller.serviceAccountName, namespace: controller.namespace }],
    },
  };
}
