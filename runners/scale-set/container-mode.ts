import type { V1ResourceRequirements, V1VolumeMount } from "@kubernetes/client-node";
import { givenFields } from "../given-fields.ts";
import type { PodPart } from "./pod-part.ts";
import { WORK_VOLUME } from "./pod-part.ts";
import type { EnvVar, PodContainer, ScaleSetRequest } from "./request.ts";

/**
 * Where a job's steps run: in the runner container (`none`); there, with a privileged Docker daemon beside it (`dind`); or in
 * a pod of their own, which shares a volume with the runner's (`kubernetes`) or gets files copied (`kubernetes-novolume`).
 */
export type ContainerMode = (typeof CONTAINER_MODES)[number];

export const CONTAINER_MODES = ["none", "dind", "kubernetes", "kubernetes-novolume"] as const;

/** The official chart's: whoever wants to know what runs as root on the node names another, by digest. */
export const DIND_IMAGE = "docker:dind";

/** The Docker daemon beside the runner. */
export interface Dind<Text> {
  /** `DIND_IMAGE` where left out. */
  readonly image?: Text;
  /** More arguments of dockerd, such as `--mtu=1400` or `--registry-mirror=https://…`. */
  readonly args?: readonly string[];
  readonly env?: readonly EnvVar<Text>[];
  readonly resources?: V1ResourceRequirements;
  readonly volumeMounts?: readonly V1VolumeMount[];
  /** Default true: a sidecar that starts first and stops last. False for clusters older than 1.29, or that strip it (#4144). */
  readonly sidecar?: boolean;
}

/** Whether jobs run in pods of their own: those pods see nothing that is mounted into the runner's. */
export function runsJobsInPods(mode: ContainerMode): boolean {
  return mode === "kubernetes" || mode === "kubernetes-novolume";
}

/** What the container mode adds to the pods: the official chart's expansion of `containerMode.type`. */
export function modePart<Text>(request: ScaleSetRequest<Text>): PodPart<Text> {
  switch (request.mode) {
    case "none":
      return {};
    case "dind":
      return dindPart(request);
    case "kubernetes":
      return kubernetesPart(request);
    case "kubernetes-novolume":
      return { env: [...hookEnv("/home/runner/k8s-novolume/index.js", request), ...imageEnv(request)] };
  }
}

const WORK_MOUNT: V1VolumeMount = { name: WORK_VOLUME, mountPath: "/home/runner/_work" };
const SOCKET_MOUNT: V1VolumeMount = { name: "dind-sock", mountPath: "/var/run" };
/** The group `docker` of the runner image, to which the daemon gives its socket. */
const DOCKER_GROUP = "123";

function dindPart<Text>({ image, dind = {} }: ScaleSetRequest<Text>): PodPart<Text> {
  const sidecar = dind.sidecar ?? true;
  const daemon: PodContainer<Text> = {
    name: "dind",
    image: dind.image ?? DIND_IMAGE,
    args: ["dockerd", "--host=unix:///var/run/docker.sock", "--group=$(DOCKER_GROUP_GID)", ...(dind.args ?? [])],
    env: [{ name: "DOCKER_GROUP_GID", value: DOCKER_GROUP }, ...(dind.env ?? [])],
    securityContext: { privileged: true },
    ...givenFields({ resources: dind.resources }),
    ...(sidecar ? SIDECAR : {}),
    volumeMounts: [
      WORK_MOUNT,
      SOCKET_MOUNT,
      { name: "dind-externals", mountPath: "/home/runner/externals" },
      ...(dind.volumeMounts ?? []),
    ],
  };
  const externals: PodContainer<Text> = {
    name: "init-dind-externals",
    image,
    command: ["cp"],
    args: ["-r", "/home/runner/externals/.", "/home/runner/tmpDir/"],
    volumeMounts: [{ name: "dind-externals", mountPath: "/home/runner/tmpDir" }],
  };
  return {
    env: [
      { name: "DOCKER_HOST", value: "unix:///var/run/docker.sock" },
      { name: "RUNNER_WAIT_FOR_DOCKER_IN_SECONDS", value: "120" },
    ],
    mounts: [WORK_MOUNT, SOCKET_MOUNT],
    volumes: [
      { name: "dind-sock", emptyDir: {} },
      { name: "dind-externals", emptyDir: {} },
      { name: WORK_VOLUME, emptyDir: {} },
    ],
    initContainers: sidecar ? [externals, daemon] : [externals],
    containers: sidecar ? [] : [daemon],
  };
}

/** An init container that keeps running: jobs start once the daemon answers, for which it has two minutes. */
const SIDECAR = {
  restartPolicy: "Always",
  startupProbe: {
    exec: { command: ["docker", "info"] },
    initialDelaySeconds: 0,
    failureThreshold: 24,
    periodSeconds: 5,
  },
};

function kubernetesPart<Text>(request: ScaleSetRequest<Text>): PodPart<Text> {
  const { workVolumeClaim } = request;
  return {
    env: hookEnv("/home/runner/k8s/index.js", request),
    mounts: [WORK_MOUNT],
    volumes:
      workVolumeClaim === undefined
        ? []
        : [{ name: WORK_VOLUME, ephemeral: { volumeClaimTemplate: { spec: workVolumeClaim } } }],
  };
}

function hookEnv<Text>(script: string, { requireJobContainer = true }: ScaleSetRequest<Text>): readonly EnvVar<Text>[] {
  return [
    { name: "ACTIONS_RUNNER_CONTAINER_HOOKS", value: script },
    { name: "ACTIONS_RUNNER_POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
    { name: "ACTIONS_RUNNER_REQUIRE_JOB_CONTAINER", value: String(requireJobContainer) },
  ];
}

/** The hooks without a shared volume copy their tools into the job's pod with an init container of the runner's image. */
function imageEnv<Text>({ image }: ScaleSetRequest<Text>): readonly EnvVar<Text>[] {
  return [{ name: "ACTIONS_RUNNER_IMAGE", value: image }];
}
