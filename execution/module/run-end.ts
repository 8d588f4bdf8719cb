import type { ContainerFacts } from "../container-facts.ts";
import { summaryOf, type ErrorCode, type ErrorDetail, type ModuleResponse } from "./response.ts";

/** Why the executor stopped a container; undefined where it ended by itself. */
export type StopCause = "cancelled" | "deadline" | undefined;

export interface RunEnd {
  readonly action: string;
  readonly facts: ContainerFacts;
  readonly cause: StopCause;
  /** The memory limit, for the message of a container that broke it. */
  readonly memory: string;
  /** Why a response that there is cannot be read. */
  readonly fault?: string | undefined;
}

/**
 * The response of a run whatever its end: what the entrypoint wrote counts; what it could not write, because it was never
 * started, killed or cut off, is said from the container's end. A success needs both to say so.
 */
export function finalResponse(written: ModuleResponse | undefined, end: RunEnd): ModuleResponse {
  const response = written ?? emptyResponse(end.action);
  const finished = written?.phase === "done";
  if (finished && response.success && end.facts.exitCode === 0) return response;
  const { code, message } = endOf(end, finished && response.success);
  const own = response.error_detail;
  // The entrypoint knows a signal, but not that it was sent because the time was over.
  const overdue = end.cause === "deadline" && own?.code === "cancelled";
  if (finished && !response.success && own !== undefined && !overdue) return response;
  const known = finished && !response.success ? (response.error ?? message) : message;
  const detail: ErrorDetail = {
    code: own === undefined || overdue ? code : own.code,
    phase: own?.phase ?? response.phase,
    message: own?.message ?? known,
    retryable: own?.retryable ?? false,
  };
  return {
    ...response,
    success: false,
    error: overdue ? message : known,
    error_detail: overdue ? { ...detail, message } : detail,
  };
}

function endOf(
  { facts, cause, memory, fault }: RunEnd,
  claimed: boolean,
): { readonly code: ErrorCode; readonly message: string } {
  const ended = exitText(facts.exitCode);
  if (cause === "deadline")
    return { code: "deadline_exceeded", message: `stopped because its time was over (${ended})` };
  if (cause === "cancelled") return { code: "cancelled", message: `cancelled (${ended})` };
  if (facts.error !== "")
    return { code: "tool_missing", message: `the container could not be started: ${facts.error}` };
  if (facts.outOfMemory) {
    return {
      code: "internal",
      message: `the container was killed for more memory than its limit of ${memory} (${ended})`,
    };
  }
  if (fault !== undefined) return { code: "internal", message: `${fault} (${ended})` };
  if (claimed) return { code: "internal", message: `the entrypoint reported success, but ended with ${ended}` };
  return { code: "internal", message: `the container ended before its work was done (${ended})` };
}

const SIGNALS: Readonly<Record<number, string>> = {
  129: "SIGHUP",
  130: "SIGINT",
  134: "SIGABRT",
  137: "SIGKILL",
  139: "SIGSEGV",
  143: "SIGTERM",
};

function exitText(code: number): string {
  const signal = SIGNALS[code];
  return `exit code ${code}${signal === undefined ? "" : `, ${signal}`}`;
}

function emptyResponse(action: string): ModuleResponse {
  return { success: false, action, outputs: {}, changes: [], summary: summaryOf([]), phase: "starting" };
}
