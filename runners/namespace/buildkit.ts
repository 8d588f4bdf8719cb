import { createHash } from "node:crypto";
import type {
  V1PersistentVolumeClaimSpec,
  V1PodSpec,
  V1PodTemplateSpec,
  V1ResourceRequirements,
} from "@kubernetes/client-node";
import { KilnError } from "../../errors.ts";
import type { Shape } from "../kubernetes-shape.ts";
import type { NetworkService } from "./network-policy.ts";
import { bytesOf } from "../cache/quantity.ts";

/** What a buildkitd is made of. */
export interface BuildKitRequest {
  /** A rootless one, by digest or by a tag that names a version. */
  readonly image?: string;
  /** The size of the volume that keeps its layers and cache mounts, such as `100Gi`. */
  readonly size: string;
  /** Of that volume; the cluster's default where left out. */
  readonly storageClass?: string;
  readonly resources?: Shape<V1ResourceRequirements>;
  readonly nodeSelector?: Readonly<Record<string, string>>;
  /** A Secret of its namespace with `ca.pem`, `cert.pem` and `key.pem`: then clients need a certificate of that authority. */
  readonly tlsSecret?: string;
}

/** The official image, for clusters that can pull it. */
export const BUILDKIT_IMAGE = "docker.io/moby/buildkit:v0.25.0-rootless";

/** The name of each of its objects: the namespace is its own. */
export const BUILDKIT_NAME = "buildkitd";

const PORT = 1234;
/** The user of rootless images. Another would need an image of its own, with another range of subordinate ids. */
const UID = 1000;
const HOME = "/home/user";
const SOCKET = `unix:///run/user/${UID}/buildkit/buildkitd.sock`;
const LABELS = { "app.kubernetes.io/name": BUILDKIT_NAME, "app.kubernetes.io/component": "image-builder" } as const;

/** Throws a usage error that begins with `at` for an image that can change under its name, or a volume without a size. */
export function requireBuildKit({ image = BUILDKIT_IMAGE, size }: BuildKitRequest, at: string): void {
  const tag = /:([\w][\w.-]*)$/.exec(image)?.[1];
  if (!image.includes("@sha256:") && (tag === undefined || /^(latest|master|rootless|nightly)/.test(tag))) {
    throw new KilnError("usage", `${at}.image is ${JSON.stringify(image)}, which moves`, {
      mend: `Name a version or a digest, such as ${BUILDKIT_IMAGE}`,
    });
  }
  if (bytesOf(size) !== undefined) return;
  throw new KilnError("usage", `${at}.size is ${JSON.stringify(size)}, which is no size of a volume`, {
    mend: "Write it as Kubernetes does, such as 100Gi",
  });
}

/** Where clients in the cluster reach it. */
export function buildKitAddress(namespace: string): string {
  return `tcp://${BUILDKIT_NAME}.${namespace}.svc:${PORT}`;
}

/** The same, as a network policy of the clients' namespaces names it. */
export function buildKitService(namespace: string): NetworkService {
  return { namespace, podLabels: { "app.kubernetes.io/name": BUILDKIT_NAME }, port: PORT };
}

/** Its Service's ports and the labels of its pod. */
export const BUILDKIT_SERVICE = {
  // Headless: Pulumi waits for the pods of any other, and the pod waits for its Service.
  clusterIP: "None",
  ports: [{ name: "grpc", port: PORT, targetPort: "grpc" }],
  selector: LABELS,
} as const;

/**
 * buildkitd.toml. The volume is its own, so the collector may fill four fifths of it: the rest is for the build that runs
 * while it collects. The rules stand in the place of BuildKit's own, whose first one keeps 512 MB of cache mounts for two
 * days: a Go cache is larger, and a weekend longer.
 */
export function buildKitConfig({ size }: Pick<BuildKitRequest, "size">): string {
  const tenth = Math.floor((bytesOf(size) ?? 0) / 10);
  const rule = (...lines: readonly string[]) => [
    "  [[worker.oci.gcpolicy]]",
    ...lines.map((line) => `    ${line}`),
    `    reservedSpace = ${tenth}`,
    `    maxUsedSpace = ${8 * tenth}`,
    `    minFreeSpace = ${tenth}`,
  ];
  // What a build left goes first, oldest first; only then what BuildKit itself wants to keep.
  return ["[worker.oci]", "  gc = true", ...rule(), ...rule("all = true"), ""].join("\n");
}

/** Its volume: a build's files on one node at a time. */
export function buildKitClaim({ size, storageClass }: BuildKitRequest): Shape<V1PersistentVolumeClaimSpec> {
  return {
    accessModes: ["ReadWriteOnce"],
    resources: { requests: { storage: size } },
    ...(storageClass === undefined ? {} : { storageClassName: storageClass }),
  };
}

/** Its pod. The annotation starts a new one when the configuration changes, which buildkitd reads only as it starts. */
export function buildKitPod(request: BuildKitRequest): Shape<V1PodTemplateSpec> {
  const config = createHash("sha256").update(buildKitConfig(request)).digest("hex").slice(0, 16);
  return { metadata: { labels: LABELS, annotations: { "kiln/config": config } }, spec: podSpec(request) };
}

/**
 * What rootless BuildKit needs of a pod, after examples/kubernetes of moby/buildkit: a user namespace of its own, which the
 * default seccomp and AppArmor profiles refuse. Pod security allows neither below `privileged`, though nothing here is
 * privileged: no capability is added, no host path, no root.
 */
function podSpec({ image = BUILDKIT_IMAGE, resources, nodeSelector, tlsSecret }: BuildKitRequest): Shape<V1PodSpec> {
  const probe = { exec: { command: ["buildctl", "--addr", SOCKET, "debug", "workers"] }, timeoutSeconds: 10 };
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    ...(nodeSelector === undefined ? {} : { nodeSelector }),
    securityContext: {
      runAsNonRoot: true,
      runAsUser: UID,
      runAsGroup: UID,
      fsGroup: UID,
      fsGroupChangePolicy: "OnRootMismatch",
      seccompProfile: { type: "Unconfined" },
      appArmorProfile: { type: "Unconfined" },
    },
    containers: [
      {
        name: BUILDKIT_NAME,
        image,
        args: daemonArguments(tlsSecret !== undefined),
        ports: [{ name: "grpc", containerPort: PORT }],
        readinessProbe: { ...probe, periodSeconds: 10 },
        livenessProbe: { ...probe, initialDelaySeconds: 30, periodSeconds: 30, failureThreshold: 5 },
        ...(resources === undefined ? {} : { resources }),
        volumeMounts: [
          { name: "state", mountPath: `${HOME}/.local/share/buildkit` },
          { name: "config", mountPath: `${HOME}/.config/buildkit`, readOnly: true },
          ...(tlsSecret === undefined ? [] : [{ name: "tls", mountPath: "/certs", readOnly: true }]),
        ],
      },
    ],
    volumes: [
      { name: "state", persistentVolumeClaim: { claimName: BUILDKIT_NAME } },
      { name: "config", configMap: { name: BUILDKIT_NAME } },
      ...(tlsSecret === undefined ? [] : [{ name: "tls", secret: { secretName: tlsSecret, defaultMode: 0o440 } }]),
    ],
  };
}

/**
 * Without `--oci-worker-no-process-sandbox` each build step needs a /proc of its own: `procMount: Unmasked`, which Kubernetes
 * takes only with `hostUsers: false`, whose 65,536 ids leave none for the subordinate range of the image. With it, a step sees
 * the daemon's processes: one daemon serves those who trust each other.
 */
function daemonArguments(tls: boolean): string[] {
  return [
    "--addr",
    SOCKET,
    "--addr",
    `tcp://0.0.0.0:${PORT}`,
    ...(tls ? ["--tlscacert", "/certs/ca.pem", "--tlscert", "/certs/cert.pem", "--tlskey", "/certs/key.pem"] : []),
    "--oci-worker-no-process-sandbox",
  ];
}

/** The port that its policy opens to clients. */
export const BUILDKIT_PORT = PORT;
