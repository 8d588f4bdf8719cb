import { createHash } from "node:crypto";
import type { V1Container, V1Job, V1Volume } from "@kubernetes/client-node";
import { SANDBOX_UID, SECRET_FOLDER } from "../sandbox.ts";
import type { JobDescription } from "./description.ts";
import { inputFolders, jobEnvironment, OUTPUT, WORKSPACE } from "./environment.ts";
import type { SecretFile } from "./job-secret.ts";
import { bytesOf } from "./limits.ts";
import { secretHandOver, withToken, type SecretHandOver } from "./secret-handover.ts";
import { outerSeconds, stopSeconds } from "./timeouts.ts";

export interface ManifestPlacing {
  readonly namespace: string;
  /** The mark of the process that looks after it: `ownerMark`. */
  readonly owner?: string;
  /** The files of the input, by the key that the Secret beside the Job has them under. */
  readonly files: Readonly<Record<string, SecretFile>>;
  /** How long an ended Job stays for people to look at, in seconds. */
  readonly keepSeconds?: number;
}

const MEBIBYTE = 1024 * 1024;
/** Logs of both streams, and what a kubelet counts beside. */
const LOGS_BYTES = 64 * MEBIBYTE;
const KEEP_SECONDS = 3600;
export const JOB_LABELS = { "app.kubernetes.io/managed-by": "kiln", "app.kubernetes.io/component": "job" } as const;

/** Labels have 63 letters at most, and the mark of an owner more. */
export const OWNER_ANNOTATION = "dev.kiln/owner";

/** The name that all objects of a job have: the job's id as far as Kubernetes takes it, and a checksum of id and attempt. */
export function manifestName({ job_id: id, attempt }: JobDescription): string {
  const plain = id
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "")
    .slice(0, 36)
    .replace(/-$/, "");
  const mark = createHash("sha256").update(`${id}\0${attempt}`).digest("hex").slice(0, 10);
  return ["job", plain, mark].filter((part) => part !== "").join("-");
}

/**
 * The Job of a description, with one pod that runs at most once. Pure, and without secrets: it names the Secret that has
 * them, without which its pod cannot start. Its time runs from the first moment on: it goes by itself, whoever is killed.
 */
export function jobManifest(description: JobDescription, placing: ManifestPlacing): V1Job {
  const { timeouts } = description;
  const name = manifestName(description);
  const labels = { ...description.labels, ...JOB_LABELS, "dev.kiln/job": name };
  const handOver = secretHandOver(description, name);
  const own = () => container(description, placing, handOver);
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      ...{ name, namespace: placing.namespace, labels },
      annotations: {
        ...annotations(description),
        ...(placing.owner === undefined ? {} : { [OWNER_ANNOTATION]: placing.owner }),
      },
    },
    spec: {
      ...{ parallelism: 1, completions: 1, backoffLimit: 0 },
      // A pod that a node lost is a failure, not a reason for another: a script may have done half of its work.
      podFailurePolicy: {
        rules: [{ action: "FailJob", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] }],
      },
      podReplacementPolicy: "Failed",
      activeDeadlineSeconds: outerSeconds(timeouts) + stopSeconds(timeouts),
      ttlSecondsAfterFinished: placing.keepSeconds ?? KEEP_SECONDS,
      template: {
        metadata: { labels },
        spec: {
          restartPolicy: "Never",
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: stopSeconds(timeouts),
          securityContext: {
            ...{ runAsNonRoot: true, runAsUser: SANDBOX_UID, runAsGroup: SANDBOX_UID, fsGroup: SANDBOX_UID },
            seccompProfile: { type: "RuntimeDefault" },
          },
          // By the same image: that has the entrypoint, and perhaps nothing else that could copy a file.
          ...(handOver.before === undefined
            ? {}
            : { initContainers: [Object.assign(own(), { env: [], ...handOver.before })] }),
          containers: [own()],
          volumes: [...volumes(description, name, placing), ...handOver.volumes],
        },
      },
    },
  };
}

/** What Kubernetes has no field for: a pod cannot limit its own processes. */
function annotations({ job_id: id, limits, script }: JobDescription): Readonly<Record<string, string>> {
  return { "dev.kiln/job-id": id, "dev.kiln/script": script, "dev.kiln/pids": String(limits.pids) };
}

function container(description: JobDescription, { files }: ManifestPlacing, secret: SecretHandOver): V1Container {
  const { limits, image_digest: digest, image } = description;
  const memory = String(bytesOf(limits.memory));
  const cpu = `${Math.round(limits.cpus * 1000)}m`;
  const storage = String(2 * bytesOf(limits.disk) + LOGS_BYTES);
  const amounts = { cpu, memory, "ephemeral-storage": storage };
  return {
    name: "job",
    image: digest?.includes("@") === true ? digest : image,
    env: Object.entries({ ...jobEnvironment(withToken(description)), ...secret.environment }).map(([name, value]) => ({
      name,
      value: literal(value),
    })),
    resources: { requests: amounts, limits: amounts },
    securityContext: {
      ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, privileged: false },
      capabilities: { drop: ["ALL"] },
    },
    // What it ended with, where the log is gone.
    terminationMessagePolicy: "FallbackToLogsOnError",
    volumeMounts: [
      { name: "workspace", mountPath: WORKSPACE },
      { name: "output", mountPath: OUTPUT },
      { name: "tmp", mountPath: "/tmp" },
      { name: "run", mountPath: SECRET_FOLDER },
      ...secret.mounts,
      ...(Object.keys(files).length === 0
        ? []
        : // By a path inside of the volume: its own first level is links, which a source of scripts may not have.
          inputFolders(description).map((name) => ({
            ...{ name: "input", mountPath: `${WORKSPACE}/${name}`, subPath: name, readOnly: true },
          }))),
    ],
  };
}

/** A kubelet puts other variables in place of `$(NAME)`, and one `$` in place of two. */
function literal(value: string): string {
  return value.replaceAll("$", () => "$$");
}

function volumes(description: JobDescription, name: string, { files }: ManifestPlacing): readonly V1Volume[] {
  const disk = String(bytesOf(description.limits.disk));
  const items = Object.entries(files).map(([key, file]) => ({ key, ...file }));
  return [
    { name: "workspace", emptyDir: { sizeLimit: disk } },
    { name: "output", emptyDir: { sizeLimit: String(bytesOf(description.limits.disk) + LOGS_BYTES) } },
    { name: "tmp", emptyDir: { sizeLimit: disk } },
    { name: "run", emptyDir: { medium: "Memory", sizeLimit: String(16 * MEBIBYTE) } },
    ...(items.length === 0 ? [] : [{ name: "input", secret: { secretName: name, items, defaultMode: 0o444 } }]),
  ];
}
