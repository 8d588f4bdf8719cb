import type { V1ContainerStatus, V1Pod } from "@kubernetes/client-node";

/** How the container of a job's pod stands. */
export interface PodState {
  readonly name: string;
  readonly phase: "waiting" | "running" | "ended";
  readonly exitCode: number;
  readonly outOfMemory: boolean;
  /** Why it ended before it was started. */
  readonly error: string;
  /** Why the pod was taken away while it ran, such as evicted. */
  readonly remark: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  /** `repository@sha256:…` of what the node runs; empty before that. */
  readonly image: string;
}

/** A Job that has no pod. */
export const NO_POD: PodState = {
  ...{ name: "", phase: "waiting", exitCode: -1, outOfMemory: false, error: "", remark: "" },
  ...{ startedAt: "", finishedAt: "", image: "" },
};

/** Reads a pod of a Job. */
export function podState({ metadata, status: pod }: V1Pod): PodState {
  const { containerStatuses = [], initContainerStatuses = [] } = pod ?? {};
  const status = containerStatuses.find(({ name }) => name === "job") ?? containerStatuses[0];
  const { waiting, running, terminated } = status?.state ?? {};
  const isOver = terminated !== undefined || pod?.phase === "Failed" || pod?.phase === "Succeeded";
  const isStarted = running !== undefined || terminated !== undefined;
  const ofPod = joined(pod?.reason, pod?.message);
  const before = initContainerStatuses.map(failure).filter((text) => text !== "");
  return {
    name: metadata?.name ?? "",
    phase: isOver ? "ended" : running === undefined ? "waiting" : "running",
    exitCode: terminated?.exitCode ?? -1,
    outOfMemory: terminated?.reason === "OOMKilled",
    error: isStarted ? "" : joined(...before, waiting?.reason, waiting?.message, ofPod),
    remark: isStarted ? ofPod : "",
    startedAt: timeOf(terminated?.startedAt ?? running?.startedAt),
    finishedAt: timeOf(terminated?.finishedAt),
    image: (status?.imageID ?? "").replace(/^.*:\/\//, ""),
  };
}

/** Of a container that prepares the pod: the job's own never starts after that. */
function failure({ name, state }: V1ContainerStatus): string {
  const { exitCode = 0, reason, message } = state?.terminated ?? {};
  return exitCode === 0 ? "" : joined(`the container ${name} ended with exit code ${exitCode}`, reason, message);
}

function joined(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => (part ?? "") !== "").join(": ");
}

function timeOf(time: Date | undefined): string {
  return time === undefined ? "" : new Date(time).toISOString();
}
