import type { V1PodSpec, V1Toleration } from "@kubernetes/client-node";
import { certificatePart } from "./certificate-trust.ts";
import { modePart, runsJobsInPods } from "./container-mode.ts";
import { givenFields } from "../given-fields.ts";
import { hookTemplatePart } from "./hook-template.ts";
import type { PodPart } from "./pod-part.ts";
import { podVolumes, runnerEnv, runnerMounts } from "./pod-part.ts";
import type { PodSecurity } from "./pod-security.ts";
import { containerSecurityContext, podSecurityContext, podSecurityOf } from "./pod-security.ts";
import { companionNames } from "./name.ts";
import type { ObjectMeta, PodContainer, ScaleSetRequest } from "./request.ts";

/** What the pods of a scale set look like: the `template` of an AutoscalingRunnerSet. */
export interface PodTemplate<Text> {
  readonly metadata?: ObjectMeta;
  readonly spec: PodSpec<Text>;
}

export interface PodSpec<Text> extends Omit<
  V1PodSpec,
  "containers" | "imagePullSecrets" | "initContainers" | "serviceAccountName"
> {
  readonly containers: readonly PodContainer<Text>[];
  readonly initContainers?: readonly PodContainer<Text>[];
  readonly imagePullSecrets?: readonly { readonly name: Text }[];
  readonly serviceAccountName: Text | string;
}

/** The container in which the runner works; the controller looks for it by this name. */
export const RUNNER_CONTAINER = "runner";

/** The label of nodes that says what their processors are. */
export const ARCH_LABEL = "kubernetes.io/arch";

/** The pod template of a scale set. Lists stand in the official chart's order: the user's entries, then those of the parts. */
export function podTemplate<Text>(request: ScaleSetRequest<Text>): PodTemplate<Text> {
  const parts = [
    modePart(request),
    hookTemplatePart(request),
    certificatePart(request),
    cachePart(request),
    buildkitPart(request),
  ];
  const security = podSecurityOf(request.mode, request.podSecurity);
  const volumes = podVolumes(request.volumes ?? [], parts);
  const { securityContext: own, ...pod } = request.pod ?? {};
  const initContainers = secured(security, [
    ...parts.flatMap((part) => part.initContainers ?? []),
    ...(request.initContainers ?? []),
  ]);
  const metadata = templateMetadata(request);
  return {
    ...givenFields({ metadata }),
    spec: {
      ...pod,
      ...givenFields({
        securityContext: podSecurityContext(security, { writesVolumes: writesVolumes(request), own }),
        ...placement(request),
        imagePullSecrets: request.imagePullSecrets?.map((name) => ({ name })),
      }),
      restartPolicy: "Never",
      serviceAccountName: serviceAccountName(request),
      ...(initContainers.length > 0 ? { initContainers } : {}),
      containers: secured(security, [
        runnerContainer(request, parts),
        ...parts.flatMap((part) => part.containers ?? []),
        ...(request.containers ?? []),
      ]),
      ...(volumes.length > 0 ? { volumes } : {}),
    },
  };
}

/** The account of the pods: the user's, else one that may do what job hooks do, or one that may do nothing. */
export function serviceAccountName<Text>(request: ScaleSetRequest<Text>): Text | string {
  const names = companionNames(request.scaleSetName);
  return request.serviceAccountName ?? (runsJobsInPods(request.mode) ? names.kubeMode : names.noPermission);
}

/** Whether a runner pod exists only while it has a job: whoever idles must not keep its node from being scaled down. */
export function keepsFromEviction<Text>({ doNotEvict, minRunners = 0 }: ScaleSetRequest<Text>): boolean {
  return doNotEvict ?? minRunners === 0;
}

function runnerContainer<Text>(request: ScaleSetRequest<Text>, parts: readonly PodPart<Text>[]): PodContainer<Text> {
  const env = runnerEnv(request.env ?? [], parts);
  const volumeMounts = runnerMounts(request.volumeMounts ?? [], parts);
  return {
    command: ["/home/runner/run.sh"],
    ...request.runnerContainer,
    name: RUNNER_CONTAINER,
    image: request.image,
    ...givenFields({ resources: request.resources }),
    ...(env.length > 0 ? { env } : {}),
    ...(volumeMounts.length > 0 ? { volumeMounts } : {}),
  };
}

/** The caches, which the runner container alone mounts, seeded by containers of its own image. */
function cachePart<Text>({ cache, image }: ScaleSetRequest<Text>): PodPart<Text> {
  if (cache === undefined) return {};
  return { ...cache, initContainers: cache.initContainers.map((seed) => ({ ...seed, image })) };
}

function buildkitPart<Text>({ buildkit }: ScaleSetRequest<Text>): PodPart<Text> {
  return buildkit === undefined ? {} : { env: [{ name: "BUILDKIT_HOST", value: buildkit }] };
}

/** A work volume of mode kubernetes and a cache are written by the runner's user. */
function writesVolumes<Text>({ cache, mode }: ScaleSetRequest<Text>): boolean {
  return cache !== undefined || mode === "kubernetes";
}

function secured<Text>(
  security: PodSecurity,
  containers: readonly PodContainer<Text>[],
): readonly PodContainer<Text>[] {
  return containers.map((container) => ({
    ...container,
    ...givenFields({ securityContext: containerSecurityContext(security, container.securityContext) }),
  }));
}

function templateMetadata<Text>(request: ScaleSetRequest<Text>): ObjectMeta | undefined {
  const annotations = { ...(keepsFromEviction(request) ? DO_NOT_EVICT : {}), ...request.podAnnotations };
  const metadata = {
    ...givenFields({ labels: request.podLabels }),
    ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
  };
  return Object.keys(metadata).length > 0 ? metadata : undefined;
}

/** Where pods may run, and with which kernel and rank. */
function placement<Text>(request: ScaleSetRequest<Text>) {
  const nodeSelector = {
    ...(request.arch === undefined ? {} : { [ARCH_LABEL]: request.arch }),
    ...request.nodeSelector,
    ...request.cache?.nodeSelector,
  };
  const tolerations = [...(request.tolerations ?? []), ...(request.spot === true ? SPOT_TOLERATIONS : [])];
  return {
    nodeSelector: Object.keys(nodeSelector).length > 0 ? nodeSelector : undefined,
    tolerations: tolerations.length > 0 ? tolerations : undefined,
    affinity: request.affinity,
    priorityClassName: request.priorityClassName,
    runtimeClassName: request.runtimeClassName,
    hostUsers: request.hostUsers,
  };
}

/** For the cluster autoscaler and for Karpenter. */
const DO_NOT_EVICT = {
  "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
  "karpenter.sh/do-not-disrupt": "true",
};

/** The taints of spot nodes: GKE's, AKS's, and the one that Karpenter's documentation uses. */
export const SPOT_TOLERATIONS = [
  { key: "cloud.google.com/gke-spot", operator: "Equal", value: "true", effect: "NoSchedule" },
  { key: "kubernetes.azure.com/scalesetpriority", operator: "Equal", value: "spot", effect: "NoSchedule" },
  { key: "karpenter.sh/capacity-type", operator: "Equal", value: "spot", effect: "NoSchedule" },
] as const satisfies readonly V1Toleration[];
