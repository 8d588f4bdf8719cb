import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { ControllerReference } from "../runners/controller/arc.ts";
import { requireController } from "../runners/controller/checks.ts";
import type { ControllerRequest } from "../runners/controller/request.ts";
import {
  controllerObjects,
  controllerReference,
  type ControllerObjects,
  type GrantedRole,
} from "../runners/controller/controller.ts";
import type { CustomResourceDefinition } from "../runners/controller/crds.ts";
import { podSecurityLabels, type PodSecurityLevel } from "../runners/namespace/labels.ts";

export interface RunnerControllerArgs extends ControllerRequest {
  /** What `readCrds` gave. Applied server-side, and upgraded in place as the release is raised. */
  readonly crds: readonly CustomResourceDefinition[];
  /** A provider that takes objects over, for CRDs that Helm or kubectl brought. */
  readonly adoptWith?: pulumi.ProviderResource;
  /** Leave the CRDs in the cluster when the stack is destroyed; false. Without them every scale set of the cluster goes. */
  readonly retainCrds?: boolean;
  /** Make the namespace; true. */
  readonly createNamespace?: boolean;
  /** What pods of that namespace may ask; `baseline`, since the controller gives listeners no security context by itself. */
  readonly podSecurity?: PodSecurityLevel;
  /** How long `destroy` waits for an object's finalizers; 10. */
  readonly deleteTimeoutMinutes?: number;
  /** The key path under which this controller is written, for error messages; the component's name where left out. */
  readonly at?: string;
}

/**
 * actions-runner-controller, once a cluster, as typed resources. Scale sets name it in `dependsOn`: then it is there before
 * them, and outlives them (it takes their finalizers off). `protect: true` among the options protects all that it is made of.
 */
export class RunnerController extends pulumi.ComponentResource {
  /** What scale sets need to know of it: plain, so that their objects are known at preview. */
  readonly reference: ControllerReference;
  /** Where controller and listeners run, known once they can. */
  readonly namespace: pulumi.Output<string>;
  readonly serviceAccountName: pulumi.Output<string>;

  constructor(name: string, args: RunnerControllerArgs, opts: pulumi.ComponentResourceOptions = {}) {
    const { crds, retainCrds, adoptWith, createNamespace = true, podSecurity = "baseline", ...request } = args;
    // Without the CRDs, whose two megabytes would stand in the state once more.
    super("kiln:runner:RunnerController", name, request, opts);
    const controller = requireController(request, args.at ?? name);
    const objects = controllerObjects(controller);
    const options = childOptions(this, opts.dependsOn, args.deleteTimeoutMinutes ?? 10);

    const definitions = customResourceDefinitions(name, crds, {
      ...options,
      retainOnDelete: retainCrds ?? false,
      ...(adoptWith === undefined ? {} : { provider: adoptWith }),
    });
    const namespaces = createNamespace ? [namespace(name, controller.namespace, podSecurity, options)] : [];
    const inside = pulumi.mergeOptions(options, { dependsOn: namespaces });
    const accounts = serviceAccount(name, objects, inside);
    const grants = objects.roles.flatMap((granted) => grantedRole(name, granted, inside));
    // Last to come, first to go: its rights and its kinds are there as long as it runs.
    const deployment = new k8s.apps.v1.Deployment(
      name,
      objects.deployment,
      pulumi.mergeOptions(inside, { dependsOn: [...definitions, ...accounts, ...grants] }),
    );

    this.reference = controllerReference(controller);
    this.namespace = deployment.metadata.namespace;
    this.serviceAccountName = deployment.spec.template.spec.serviceAccountName;
    this.registerOutputs({ namespace: this.namespace, serviceAccountName: this.serviceAccountName });
  }
}

/** What all that it is made of has in common. */
function childOptions(
  parent: pulumi.Resource,
  dependsOn: pulumi.CustomResourceOptions["dependsOn"],
  deleteMinutes: number,
): pulumi.CustomResourceOptions {
  return {
    parent,
    customTimeouts: { delete: `${deleteMinutes}m` },
    ...(dependsOn === undefined ? {} : { dependsOn }),
  };
}

/** Fields that Helm or kubectl manage are taken over: nobody upgrades CRDs otherwise. */
function customResourceDefinitions(
  name: string,
  crds: readonly CustomResourceDefinition[],
  options: pulumi.CustomResourceOptions,
): pulumi.Resource[] {
  return crds.map(({ metadata, spec }) => {
    const annotations = { ...metadata.annotations, "pulumi.com/patchForce": "true" };
    return new k8s.apiextensions.v1.CustomResourceDefinition(
      `${name}-${spec.names.plural}`,
      { metadata: { name: metadata.name, annotations }, spec: spec as unknown as DefinitionSpec },
      options,
    );
  });
}

/** A spec that was read from a file: what the SDK calls it, where kiln only knows its names. */
type DefinitionSpec = k8s.types.input.apiextensions.v1.CustomResourceDefinitionSpec;

function namespace(
  name: string,
  namespaceName: string,
  level: PodSecurityLevel,
  options: pulumi.CustomResourceOptions,
): pulumi.Resource {
  return new k8s.core.v1.Namespace(
    name,
    { metadata: { name: namespaceName, labels: { ...podSecurityLabels(level) } } },
    options,
  );
}

function serviceAccount(
  name: string,
  { serviceAccount: account }: ControllerObjects,
  options: pulumi.CustomResourceOptions,
): pulumi.Resource[] {
  return account === undefined ? [] : [new k8s.core.v1.ServiceAccount(name, account, options)];
}

function grantedRole(
  name: string,
  { key, role, binding }: GrantedRole,
  options: pulumi.CustomResourceOptions,
): pulumi.Resource[] {
  const { ClusterRole, ClusterRoleBinding, Role, RoleBinding } = k8s.rbac.v1;
  const [MadeRole, MadeBinding] =
    role.metadata.namespace === undefined ? [ClusterRole, ClusterRoleBinding] : [Role, RoleBinding];
  const made = new MadeRole(`${name}-${key}`, role, options);
  return [made, new MadeBinding(`${name}-${key}`, binding, pulumi.mergeOptions(options, { dependsOn: made }))];
}
