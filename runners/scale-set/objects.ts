import type { V1PolicyRule } from "@kubernetes/client-node";
import { runsJobsInPods } from "./container-mode.ts";
import { hookTemplateData } from "./hook-template.ts";
import type { AutoscalingRunnerSet } from "./scale-set.ts";
import { autoscalingRunnerSet } from "./scale-set.ts";
import type { Metadata } from "./labels.ts";
import { metadataOf } from "./labels.ts";
import { companionNames } from "./name.ts";
import type { OwnMetaKey, ScaleSetRequest } from "./request.ts";
import { hookRules, managerRules } from "./rules.ts";

/** All objects of one scale set, as they are sent to Kubernetes. */
export interface ScaleSetObjects<Text> {
  /** The account of runner pods; nothing where the request names one. */
  readonly serviceAccount: ServiceAccount<Text> | undefined;
  /** What job hooks may do; nothing outside the kubernetes modes, nor for an account that the request names. */
  readonly hooks: Grant<Text> | undefined;
  readonly hookTemplate: ConfigMap<Text> | undefined;
  /** What the controller may do in the namespace. */
  readonly manager: Grant<Text>;
  readonly autoscalingRunnerSet: AutoscalingRunnerSet<Text>;
}

export interface ServiceAccount<Text> {
  readonly metadata: Metadata<Text>;
  /** False where runner pods get no token. */
  readonly automountServiceAccountToken?: boolean;
}

export interface ConfigMap<Text> {
  readonly metadata: Metadata<Text>;
  readonly data: Readonly<Record<string, string>>;
}

/** A Role and who is bound to it. */
export interface Grant<Text> {
  readonly role: { readonly metadata: Metadata<Text>; readonly rules: V1PolicyRule[] };
  readonly roleBinding: {
    readonly metadata: Metadata<Text>;
    readonly roleRef: { readonly apiGroup: string; readonly kind: "Role"; readonly name: string };
    readonly subjects: Subject<Text>[];
  };
}

export interface Subject<Text> {
  readonly kind: "ServiceAccount";
  readonly name: string;
  readonly namespace: Text | string;
}

/** Renders a request that `requireScaleSet` has checked. */
export function scaleSetObjects<Text>(request: ScaleSetRequest<Text>): ScaleSetObjects<Text> {
  return {
    serviceAccount: serviceAccount(request),
    hooks: hooks(request),
    hookTemplate: hookTemplate(request),
    manager: manager(request),
    autoscalingRunnerSet: autoscalingRunnerSet(request),
  };
}

/** Runner pods talk to no Kubernetes API, so their account has no token; job hooks are what needs one. */
function serviceAccount<Text>(request: ScaleSetRequest<Text>): ServiceAccount<Text> | undefined {
  if (request.serviceAccountName !== undefined) return undefined;
  const { kubeMode, noPermission } = companionNames(request.scaleSetName);
  return runsJobsInPods(request.mode)
    ? { metadata: metadataOf(request, { name: kubeMode, key: "kubernetesModeServiceAccount" }) }
    : {
        metadata: metadataOf(request, { name: noPermission, key: "noPermissionServiceAccount" }),
        automountServiceAccountToken: false,
      };
}

function hooks<Text>(request: ScaleSetRequest<Text>): Grant<Text> | undefined {
  if (request.serviceAccountName !== undefined || !runsJobsInPods(request.mode)) return undefined;
  const name = companionNames(request.scaleSetName).kubeMode;
  return grant(request, {
    name,
    keys: ["kubernetesModeRole", "kubernetesModeRoleBinding"],
    rules: hookRules(request.mode, request.kubernetesModeAdditionalRules),
    subject: { kind: "ServiceAccount", name, namespace: request.namespace },
  });
}

function manager<Text>(request: ScaleSetRequest<Text>): Grant<Text> {
  const { serviceAccount: name, namespace } = request.controller;
  return grant(request, {
    name: companionNames(request.scaleSetName).manager,
    keys: ["managerRole", "managerRoleBinding"],
    components: ["manager-role", "manager-role-binding"],
    rules: managerRules(request.certificateAuthority !== undefined),
    subject: { kind: "ServiceAccount", name, namespace },
  });
}

function hookTemplate<Text>(request: ScaleSetRequest<Text>): ConfigMap<Text> | undefined {
  if (request.hookTemplate === undefined) return undefined;
  const name = companionNames(request.scaleSetName).hookTemplate;
  return { metadata: metadataOf(request, { name, key: "hookTemplate" }), data: hookTemplateData(request.hookTemplate) };
}

interface GrantParts<Text> {
  readonly name: string;
  readonly keys: readonly [role: OwnMetaKey, roleBinding: OwnMetaKey];
  readonly components?: readonly [role: string, roleBinding: string];
  readonly rules: V1PolicyRule[];
  readonly subject: Subject<Text>;
}

function grant<Text>(
  request: ScaleSetRequest<Text>,
  { name, keys, components, rules, subject }: GrantParts<Text>,
): Grant<Text> {
  return {
    role: { metadata: metadataOf(request, { name, key: keys[0], component: components?.[0] }), rules },
    roleBinding: {
      metadata: metadataOf(request, { name, key: keys[1], component: components?.[1] }),
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name },
      subjects: [subject],
    },
  };
}
