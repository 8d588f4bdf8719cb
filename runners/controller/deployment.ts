import type {
  V1Container,
  V1ContainerPort,
  V1LabelSelector,
  V1PodSecurityContext,
  V1PodSpec,
  V1Probe,
  V1ResourceRequirements,
  V1SecurityContext,
} from "@kubernetes/client-node";
import { managerArgs, portOf } from "./flags.ts";
import { controllerLabels, discoveryLabels, selectorLabels, type ControllerMetadata } from "./labels.ts";
import type { ControllerVolume } from "./request.ts";
import type { SettledController } from "./settled.ts";
import { givenFields } from "../given-fields.ts";
import type { Shape } from "../kubernetes-shape.ts";

export interface ControllerDeployment {
  readonly metadata: ControllerMetadata;
  readonly spec: {
    readonly replicas: number;
    readonly selector: Shape<V1LabelSelector>;
    readonly template: { readonly metadata: Omit<ControllerMetadata, "name">; readonly spec: ControllerPod };
  };
}

type ControllerPod = Omit<Shape<V1PodSpec>, "volumes"> & { readonly volumes: ControllerVolume[] };

/** Meets the pod security standard `restricted`; the image's user is 65532. */
const POD_SECURITY: Shape<V1PodSecurityContext> = { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } };
const CONTAINER_SECURITY: Shape<V1SecurityContext> = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ["ALL"] },
};

const REQUESTED: Shape<V1ResourceRequirements> = { requests: { cpu: "100m", memory: "128Mi" } };

/** The Deployment of the controller. */
export function controllerDeployment(controller: SettledController): ControllerDeployment {
  const { fullName: name, namespace, replicas } = controller;
  return {
    metadata: { name, namespace, labels: { ...controllerLabels(controller), ...discoveryLabels(controller) } },
    spec: {
      replicas,
      selector: { matchLabels: selectorLabels(controller) },
      template: {
        metadata: {
          annotations: { "kubectl.kubernetes.io/default-container": "manager", ...controller.podAnnotations },
          labels: {
            ...controller.podLabels,
            "app.kubernetes.io/part-of": "gha-rs-controller",
            "app.kubernetes.io/component": "controller-manager",
            "app.kubernetes.io/version": controller.version,
            ...selectorLabels(controller),
          },
        },
        spec: pod(controller),
      },
    },
  };
}

function pod(controller: SettledController): ControllerPod {
  const { imagePullSecrets = [], tolerations, topologySpreadConstraints, nodeSelector } = controller;
  return {
    serviceAccountName: controller.serviceAccountName,
    securityContext: controller.podSecurityContext ?? POD_SECURITY,
    containers: [manager(controller)],
    terminationGracePeriodSeconds: 10,
    volumes: [{ name: "tmp", emptyDir: {} }, ...(controller.volumes ?? [])],
    ...givenFields({
      imagePullSecrets: imagePullSecrets.length > 0 ? imagePullSecrets.map((name) => ({ name })) : undefined,
      priorityClassName: controller.priorityClassName,
      affinity: controller.affinity,
      nodeSelector: nodeSelector && { ...nodeSelector },
      tolerations: tolerations && [...tolerations],
      topologySpreadConstraints: topologySpreadConstraints && [...topologySpreadConstraints],
    }),
  };
}

function manager(controller: SettledController): Shape<V1Container> {
  return {
    name: "manager",
    image: controller.image,
    imagePullPolicy: controller.imagePullPolicy ?? "IfNotPresent",
    command: ["/manager"],
    args: managerArgs(controller),
    env: [
      // The image of the listeners: the same program, in another role.
      { name: "CONTROLLER_MANAGER_CONTAINER_IMAGE", value: controller.image },
      {
        name: "CONTROLLER_MANAGER_POD_NAMESPACE",
        valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } },
      },
      ...(controller.env ?? []),
    ],
    resources: controller.resources ?? REQUESTED,
    securityContext: controller.securityContext ?? CONTAINER_SECURITY,
    volumeMounts: [{ name: "tmp", mountPath: "/tmp" }, ...(controller.volumeMounts ?? [])],
    ...givenFields({ ports: ports(controller), ...probes(controller) }),
  };
}

function ports({ metrics, pprofAddr }: SettledController): Shape<V1ContainerPort>[] | undefined {
  const addresses = { metrics: metrics === false ? undefined : metrics.controllerManagerAddr, pprof: pprofAddr };
  const open = Object.entries(addresses).flatMap(([name, address = ""]) => {
    const containerPort = portOf(address);
    return containerPort === undefined ? [] : [{ name, containerPort, protocol: "TCP" }];
  });
  return open.length > 0 ? open : undefined;
}

function probes({
  healthProbeBindAddress,
}: SettledController): Partial<Record<"livenessProbe" | "readinessProbe", Shape<V1Probe>>> {
  const port = healthProbeBindAddress === false ? undefined : portOf(healthProbeBindAddress);
  if (port === undefined) return {};
  return {
    livenessProbe: { httpGet: { path: "/healthz", port }, initialDelaySeconds: 15, periodSeconds: 20 },
    readinessProbe: { httpGet: { path: "/readyz", port }, initialDelaySeconds: 5, periodSeconds: 10 },
  };
}
