import type { JobDescription } from "./description.ts";
import { finalResult, type StopCause } from "./final-result.ts";
import type { JobEvent, JobOutput } from "./job-output.ts";
import { bytesOf } from "./limits.ts";
import type { PodState } from "./pod-state.ts";
import { resultOf, type JobResult } from "./result.ts";

/** How a Job's pod ended, as whoever followed it saw it. */
export interface ClusterEnd {
  readonly state: PodState;
  readonly cause: StopCause;
  /** What kept the pod from starting, where it never did. */
  readonly problem: string | undefined;
  /** Whether its log was read to its end. */
  readonly isLogWhole: boolean;
}

const CUT_LOG = "its log could not be read to its end";

const LOGS_BYTES = 64 * 1024 * 1024;

/** What the files of a job may have together, in bytes. */
export function mostBytes({ limits }: JobDescription): number {
  return bytesOf(limits.disk) + LOGS_BYTES;
}

/** The result of a job whose output has come as far as it did: with it what only the cluster knows. */
export function clusterResult(
  description: JobDescription,
  output: Pick<JobOutput, "result" | "summary" | "fault">,
  { state, cause, problem, isLogWhole }: ClusterEnd,
): JobResult {
  const lack = isLogWhole ? "no result came with its log" : CUT_LOG;
  const fault = output.fault ?? (output.result === undefined ? lack : undefined);
  const written = output.result ?? summarized(description, output.summary, isLogWhole);
  const result = finalResult(description, written, { facts: state, cause, fault });
  const isStarted = state.startedAt !== "" || written !== undefined;
  const added = [
    ...(output.fault === undefined ? [] : [output.fault]),
    ...(state.remark === "" ? [] : [state.remark]),
    ...(isStarted || problem === undefined || state.error === problem ? [] : [`its pod never started: ${problem}`]),
  ];
  return added.length === 0 ? result : { ...result, notes: [...(result.notes ?? []), ...added] };
}

/** The result that a job's last event tells, where the entrypoint does not print the result itself, or that did not come. */
function summarized(
  { job_id: id, attempt, script }: JobDescription,
  summary: JobEvent | undefined,
  isLogWhole: boolean,
): JobResult | undefined {
  if (summary === undefined) return undefined;
  const { status, exit_code: exitCode, error, at } = summary;
  const notes = [
    isLogWhole
      ? "its entrypoint does not print files: artifacts stayed in the pod"
      : `${CUT_LOG}: artifacts, and the last of what it printed, may be missing`,
  ];
  const known = { job_id: id, attempt, script_id: script, phase: "done", finished_at: at, notes };
  return resultOf({ ...known, status: status ?? null, exit_code: exitCode ?? null, error: error ?? null });
}
