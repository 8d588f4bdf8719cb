import type { V1Pod } from "@kubernetes/client-node";

/** How the one container of a job's pod stands. */
export interface PodState {
  readonly name: string;
  readonly phase: "waiting" | "running" | "ended";
  readonly exitCode: number;
  readonly outOfMemory: boolean;
  /** Why it does not start, or was taken away. */
  readonly error: string;
  /** Whether waiting longer cannot help. */
  readonly hopeless: boolean;
  readonly startedAt: string;
  readonly finishedAt: string;
  /** `repository@sha256:…` of what the node runs; empty before that. */
  readonly image: string;
}

/** Reasons of a kubelet after which a container will not start by waiting. */
const HOPELESS = new Set([
  "InvalidImageName",
  "ErrImageNeverPull",
  "CreateContainerConfigError",
  "CreateContainerError",
]);
const NOT_PULLED = new Set(["ErrImagePull", "ImagePullBackOff"]);

/** Reads a pod of a Job. `isPatient` says whether an image that cannot be pulled may still come. */
export function podState(pod: V1Pod, isPatient: boolean): PodState {
  const status = pod.status?.containerStatuses?.[0];
  const { waiting, running, terminated } = status?.state ?? {};
  const isOver = terminated !== undefined || pod.status?.phase === "Failed" || pod.status?.phase === "Succeeded";
  const reason = waiting?.reason ?? "";
  const why = [reason, waiting?.message, pod.status?.reason, pod.status?.message].filter((part) => (part ?? "") !== "");
  const isStarted = running !== undefined || terminated !== undefined;
  return {
    name: pod.metadata?.name ?? "",
    phase: isOver ? "ended" : running === undefined ? "waiting" : "running",
    exitCode: terminated?.exitCode ?? -1,
    outOfMemory: terminated?.reason === "OOMKilled",
    error: isStarted ? "" : why.join(": "),
    hopeless: HOPELESS.has(reason) || (!isPatient && NOT_PULLED.has(reason)),
    startedAt: timeOf(terminated?.startedAt ?? running?.startedAt),
    finishedAt: timeOf(terminated?.finishedAt),
    image: (status?.imageID ?? "").replace(/^.*:\/\//, ""),
  };
}

function timeOf(time: Date | undefined): string {
  return time === undefined ? "" : new Date(time).toISOString();
}
