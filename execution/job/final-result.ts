import type { ContainerFacts } from "../container-facts.ts";
import { JOB_API, type JobDescription } from "./description.ts";
import type { JobResult, JobStatus } from "./result.ts";

/** Why the runner stopped a container; undefined where it ended by itself. */
export type StopCause = "canceled" | "deadline" | undefined;

/** How a job's container ended, as whoever ran it saw it. */
export interface JobEnd {
  readonly facts: Pick<ContainerFacts, "exitCode" | "outOfMemory" | "error" | "startedAt" | "finishedAt">;
  readonly cause: StopCause;
  /** Why a result that there is cannot be read. */
  readonly fault?: string | undefined;
}

/**
 * The result of a job whatever its end. What the entrypoint finished counts; what it could not write, because it was never
 * started, killed or cut off, is said from the container's end.
 */
export function finalResult(description: JobDescription, written: JobResult | undefined, end: JobEnd): JobResult {
  const own = ofJob(written, description);
  if (own !== undefined && own.status !== "running") return completed(own, description, end);
  const isOthers = own === undefined && written !== undefined;
  const fault = isOthers ? `the result that came is of the job ${written.job_id}` : end.fault;
  const { status, code, message } = endOf(description, { ...end, fault });
  const base = own ?? empty(description, end);
  return {
    ...base,
    status,
    exit_code: base.exit_code,
    finished_at: base.finished_at ?? (end.facts.finishedAt === "" ? new Date().toISOString() : end.facts.finishedAt),
    error: message,
    error_detail: { code, phase: base.phase, message, retryable: false },
  };
}

/** The same result, where it is of this job: one of another says nothing about it. One that names none came from its container. */
function ofJob(written: JobResult | undefined, { job_id: id }: JobDescription): JobResult | undefined {
  if (written === undefined || written.job_id === id) return written;
  return written.job_id === "" ? { ...written, job_id: id } : undefined;
}

/** A finished result, with what only the engine knows. */
function completed(written: JobResult, { limits, timeouts }: JobDescription, { facts, cause }: JobEnd): JobResult {
  // The entrypoint knows a signal, but not that it was sent because the time was over.
  if (cause === "deadline" && written.status === "canceled") {
    const message = `stopped because its ${timeouts.job} s were over`;
    const detail = { code: "job_timeout", phase: written.phase, message, retryable: false };
    return { ...written, status: "timed_out", error: message, error_detail: detail };
  }
  if (!facts.outOfMemory || written.error_detail?.code === "oom_killed") return written;
  const note = `the kernel ended a process for the memory limit of ${limits.memory}`;
  return { ...written, notes: [...(written.notes ?? []), note] };
}

function endOf(
  { limits, timeouts }: JobDescription,
  { facts, cause, fault }: JobEnd,
): { readonly status: JobStatus; readonly code: string; readonly message: string } {
  const ended = `exit code ${facts.exitCode}`;
  if (cause === "canceled") return { status: "canceled", code: "canceled", message: `canceled (${ended})` };
  if (cause === "deadline") {
    const message = `stopped because its ${timeouts.job} s were over (${ended})`;
    return { status: "timed_out", code: "job_timeout", message };
  }
  const failed = (code: string, message: string) => ({ status: "failed", code, message }) as const;
  if (facts.error !== "") return failed("internal", `the container could not be started: ${facts.error}`);
  if (facts.outOfMemory) {
    return failed(
      "oom_killed",
      `the container was killed for more memory than its limit of ${limits.memory} (${ended})`,
    );
  }
  if (fault !== undefined) return failed("internal", `${fault} (${ended})`);
  return failed("internal", `the container was ended before its work was done (${ended})`);
}

function empty(description: JobDescription, { facts }: JobEnd): JobResult {
  return {
    api_version: JOB_API,
    job_id: description.job_id,
    attempt: description.attempt,
    script_id: description.script,
    status: "running",
    phase: "starting",
    exit_code: null,
    started_at: facts.startedAt === "" ? new Date().toISOString() : facts.startedAt,
    finished_at: null,
    artifacts: [],
  };
}
