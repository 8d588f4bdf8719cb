import { count, may, need, object, oneOf, parseDocument, text, truth, type Place } from "../module/document.ts";
import type { Json, JsonObject } from "../module/json.ts";
import { TolerantReading } from "../module/tolerant-reading.ts";
import { JOB_API } from "./description.ts";

export const JOB_STATUSES = ["running", "succeeded", "failed", "canceled", "timed_out"] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

export interface JobArtifact {
  /** Path below `artifacts/`. */
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface JobError {
  readonly code: string;
  readonly phase: string;
  readonly message: string;
  readonly retryable: boolean;
}

/** How a job ended: `result.json`, as the entrypoint writes it at every phase. Fields that only it knows stay in `rest`. */
export interface JobResult {
  readonly api_version: typeof JOB_API;
  readonly job_id: string;
  readonly attempt: number;
  readonly script_id: string;
  readonly status: JobStatus;
  readonly phase: string;
  /** The script's; null where none ran to an end of its own. */
  readonly exit_code: number | null;
  readonly started_at: string;
  readonly finished_at: string | null;
  readonly artifacts: readonly JobArtifact[];
  readonly error?: string;
  readonly error_detail?: JobError;
  readonly notes?: readonly string[];
  readonly [more: string]: unknown;
}

/** Reads a result as far as it goes: what is wrong in it is left out and becomes a note, so that the rest is not lost. */
export function parseResult(source: string): JobResult {
  const place = parseDocument(source, "result", "failed");
  return resultAt(place);
}

/** The same for a result that is a value already. */
export function resultOf(value: Json): JobResult {
  return resultAt({ value, path: "result", kind: "failed" });
}

function resultAt(place: Place): JobResult {
  const all = object(place);
  const reading = new TolerantReading();
  const notes = reading.may(place, "notes", reading.list(text)).notes ?? [];
  const known = {
    api_version: JOB_API,
    job_id: reading.may(place, "job_id", text).job_id ?? "",
    attempt: reading.may(place, "attempt", count).attempt ?? 1,
    script_id: reading.may(place, "script_id", text).script_id ?? "",
    status: reading.may(place, "status", oneOf(JOB_STATUSES)).status ?? "running",
    phase: reading.may(place, "phase", text).phase ?? "",
    exit_code: reading.may(place, "exit_code", count).exit_code ?? null,
    started_at: reading.may(place, "started_at", text).started_at ?? "",
    finished_at: reading.may(place, "finished_at", text).finished_at ?? null,
    artifacts: reading.may(place, "artifacts", reading.list(artifact)).artifacts ?? [],
    ...reading.may(place, "error", text),
    ...reading.may(place, "error_detail", errorAt),
  } as const;
  const said = [...notes, ...reading.faults];
  const more = Object.entries(all).filter(([name]) => !KNOWN.has(name));
  return { ...Object.fromEntries(more), ...known, ...(said.length === 0 ? {} : { notes: said }) };
}

const KNOWN: ReadonlySet<string> = new Set([
  ...["api_version", "job_id", "attempt", "script_id", "status", "phase", "exit_code", "started_at", "finished_at"],
  ...["artifacts", "error", "error_detail", "notes"],
]);

function artifact(place: Place): JobArtifact & JsonObject {
  return {
    ...object(place),
    name: need(place, "name", text),
    bytes: need(place, "bytes", count),
    sha256: need(place, "sha256", text),
  };
}

function errorAt(place: Place): JobError {
  return {
    code: need(place, "code", text),
    phase: may(place, "phase", text).phase ?? "",
    message: may(place, "message", text).message ?? "",
    retryable: may(place, "retryable", truth).retryable ?? false,
  };
}
