import { amount, count, may, need, object, oneOf, parseDocument, text, truth, type Place } from "./document.ts";
import type { Json, JsonObject } from "./json.ts";
import { stateAt, type StateEnvelope } from "./state-envelope.ts";
import { TolerantReading } from "./tolerant-reading.ts";

export const CHANGE_ACTIONS = ["create", "update", "delete", "replace", "no-op", "read", "import"] as const;
export type ChangeAction = (typeof CHANGE_ACTIONS)[number];

export interface ResourceChange {
  readonly resource: string;
  readonly action: ChangeAction;
  /** Values, with secrets replaced; absent where there are none. */
  readonly before?: JsonObject;
  readonly after?: JsonObject;
  readonly urn?: string;
  readonly type?: string;
}

export interface ChangeSummary {
  readonly create: number;
  readonly update: number;
  readonly delete: number;
  readonly replace: number;
  readonly same: number;
}

/** An output. A sensitive one has the value null and, sealed with the state key, `encrypted`. */
export interface ModuleOutput {
  readonly value: Json;
  readonly sensitive?: boolean;
  readonly encrypted?: string;
}

export const PHASES = ["starting", "preparing", "planning", "running", "reading", "done"] as const;
export type Phase = (typeof PHASES)[number];

export const ERROR_CODES = [
  "bad_request",
  "unsupported_action",
  "tool_missing",
  "module_invalid",
  "config_invalid",
  "auth_failed",
  "provider_failed",
  "resource_failed",
  "state_missing",
  "state_mismatch",
  "state_key_wrong",
  "state_locked",
  "plan_moved",
  "cancelled",
  "deadline_exceeded",
  "internal",
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

export interface ErrorDetail {
  readonly code: ErrorCode;
  readonly phase: string;
  readonly message: string;
  readonly retryable: boolean;
}

export interface ModuleResponse {
  readonly success: boolean;
  /** The action of the request, also where it is not known. */
  readonly action: string;
  readonly outputs: Readonly<Record<string, ModuleOutput>>;
  readonly changes: readonly ResourceChange[];
  readonly summary: ChangeSummary;
  readonly state?: StateEnvelope | Json;
  readonly error?: string;
  readonly logs?: string;
  readonly error_detail?: ErrorDetail;
  readonly api_version?: string;
  readonly run_id?: string;
  readonly phase: Phase;
  readonly tool?: { readonly name: string; readonly version: string };
  readonly plan_digest?: string;
  readonly drift?: boolean;
  readonly started_at?: string;
  readonly finished_at?: string;
  /** Seconds by phase. */
  readonly timings?: Readonly<Record<string, number>>;
}

export const EVENT_KINDS = ["phase", "log", "resource", "diagnostic", "summary"] as const;

/** A line of `/workspace/events.ndjson`; further fields depend on the kind. */
export interface ModuleEvent {
  readonly at: string;
  readonly kind: (typeof EVENT_KINDS)[number];
  readonly [field: string]: Json;
}

/**
 * Reads a response, also of an entrypoint that knows the published fields alone: the summary is then counted from the
 * changes, the phase is `done`, and `noop` is `no-op`. Its state must be right, or it is an error with the path. Whatever
 * else is wrong is left out, and makes it a failure that says so: a word that is not known here must not lose the state.
 */
export function parseResponse(source: string): ModuleResponse {
  const place = parseDocument(source, "response", "failed");
  const state = may(place, "state", stateAt);
  const reading = new TolerantReading();
  const changes = reading.may(place, "changes", reading.list(change)).changes ?? [];
  const response: ModuleResponse = {
    success: reading.or(false, () => need(place, "success", truth)),
    action: reading.or("", () => need(place, "action", text)),
    outputs: reading.may(place, "outputs", reading.map(output)).outputs ?? {},
    changes,
    summary: reading.may(place, "summary", summary).summary ?? summaryOf(changes),
    ...state,
    ...reading.may(place, "error", text),
    ...reading.may(place, "logs", text),
    ...reading.may(place, "error_detail", errorDetail),
    ...reading.may(place, "api_version", text),
    ...reading.may(place, "run_id", text),
    phase: reading.or("running", () => may(place, "phase", oneOf(PHASES)).phase ?? "done"),
    ...reading.may(place, "tool", (at) => ({ name: need(at, "name", text), version: need(at, "version", text) })),
    ...reading.may(place, "plan_digest", text),
    ...reading.may(place, "drift", truth),
    ...reading.may(place, "started_at", text),
    ...reading.may(place, "finished_at", text),
    ...reading.may(place, "timings", reading.map(amount)),
  };
  return reading.faults.length === 0 ? response : withFaults(response, reading.faults);
}

/** Its own reason to fail stays first. */
function withFaults(response: ModuleResponse, faults: readonly string[]): ModuleResponse {
  const { error, error_detail: detail, phase } = response;
  const said = [...(error === undefined ? [] : [error]), ...faults].join("; ");
  return {
    ...response,
    success: false,
    error: said,
    error_detail: detail ?? { code: "internal", phase, message: said, retryable: false },
  };
}

/** How many resources change how. Reads and imports change none. */
export function summaryOf(changes: readonly Pick<ResourceChange, "action">[]): ChangeSummary {
  const of = (action: ChangeAction) => changes.filter((one) => one.action === action).length;
  return {
    create: of("create"),
    update: of("update"),
    delete: of("delete"),
    replace: of("replace"),
    same: of("no-op"),
  };
}

function output(place: Place): ModuleOutput {
  const { value = null } = object(place);
  return { value, ...may(place, "sensitive", truth), ...may(place, "encrypted", text) };
}

function change(place: Place): ResourceChange {
  const action = need(place, "action", oneOf([...CHANGE_ACTIONS, "noop"]));
  return {
    resource: need(place, "resource", text),
    action: action === "noop" ? "no-op" : action,
    ...may(place, "before", object),
    ...may(place, "after", object),
    ...may(place, "urn", text),
    ...may(place, "type", text),
  };
}

function summary(place: Place): ChangeSummary {
  const of = (name: keyof ChangeSummary) => may(place, name, count)[name] ?? 0;
  return { create: of("create"), update: of("update"), delete: of("delete"), replace: of("replace"), same: of("same") };
}

/** A code that only a newer entrypoint knows is `internal` here, and stays in the message. */
function errorDetail(place: Place): ErrorDetail {
  const said = need(place, "code", text);
  const code = ERROR_CODES.find((known) => known === said);
  const message = may(place, "message", text).message ?? "";
  return {
    code: code ?? "internal",
    phase: may(place, "phase", text).phase ?? "",
    message: code === undefined ? `${said}: ${message}` : message,
    retryable: may(place, "retryable", truth).retryable ?? false,
  };
}
