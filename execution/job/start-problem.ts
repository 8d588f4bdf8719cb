import type { CoreV1Event, V1ContainerStatus, V1Pod } from "@kubernetes/client-node";

/** What keeps the pod of a Job from starting, in the cluster's own words. */
export interface StartProblem {
  readonly text: string;
  /** Whether waiting helps: never, perhaps within minutes, or at any time, such as when another job has ended. */
  readonly outlook: "hopeless" | "brief" | "open";
}

const STARTING: ReadonlySet<string> = new Set(["", "ContainerCreating", "PodInitializing"]);
/** Reasons of a kubelet that stay whatever the time. */
const HOPELESS: ReadonlySet<string> = new Set(["InvalidImageName", "ErrImageNeverPull", "SignatureValidationFailed"]);
/** What refuses a pod as it is. */
const DENIED = /\bis forbidden: |\bdenied the request\b|\bis invalid: /;
/** Refusals that pass: another job gives its share back, a new namespace gets its account, a webhook comes back. */
const PASSING = /exceeded quota|error looking up service account|failed calling webhook/;

/**
 * Why a pod that is not there, or waits, does not start; undefined where nothing is in its way. `events` are those of the
 * pod, or of its Job as long as there is no pod.
 */
export function startProblem(pod: V1Pod | undefined, events: readonly CoreV1Event[]): StartProblem | undefined {
  const last = [...events].sort((a, b) => timeOf(a) - timeOf(b)).at(-1);
  // What was in the way once, and is not any more, has another event behind it.
  const warning = last?.type === "Warning" ? last : undefined;
  if (pod === undefined) return warning === undefined ? undefined : refusal(warning);
  const { initContainerStatuses = [], containerStatuses = [], conditions = [] } = pod.status ?? {};
  const held = [...initContainerStatuses, ...containerStatuses].map(containerProblem).find((one) => one !== undefined);
  if (held !== undefined) return held;
  const scheduled = conditions.find(({ type }) => type === "PodScheduled");
  if (scheduled?.status === "False") return { text: textOf(scheduled.reason, scheduled.message), outlook: "open" };
  return warning === undefined ? undefined : { text: textOf(warning.reason, warning.message), outlook: "open" };
}

function containerProblem({ state }: V1ContainerStatus): StartProblem | undefined {
  const { reason = "", message } = state?.waiting ?? {};
  if (STARTING.has(reason)) return undefined;
  return { text: textOf(reason, message), outlook: HOPELESS.has(reason) ? "hopeless" : "brief" };
}

/** A controller tries again and again, each time under another name. */
function refusal({ reason, message = "" }: CoreV1Event): StartProblem {
  const text = textOf(reason, message.replace(/\b(pods?) "[^"]*"/i, "$1"));
  const isDenied = DENIED.test(message) && (!PASSING.test(message) || outgrows(message));
  return { text, outlook: isDenied ? "hopeless" : "open" };
}

/** Whether a quota is too small for the pod alone: nobody else uses any of it. */
function outgrows(message: string): boolean {
  const used = /\bused: (\S+), limited:/.exec(message)?.[1]?.split(",") ?? [];
  return used.length > 0 && used.every((amount) => amount.endsWith("=0"));
}

function textOf(reason: string | undefined, message: string | undefined): string {
  return [reason, message].filter((part) => (part ?? "") !== "").join(": ");
}

function timeOf({ lastTimestamp, series, eventTime, metadata }: CoreV1Event): number {
  return new Date(series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? 0).getTime();
}
