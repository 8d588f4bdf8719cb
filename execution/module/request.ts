import { KilnError } from "../../errors.ts";
import {
  listOf,
  mapOf,
  may,
  member,
  need,
  object,
  oneOf,
  parseDocument,
  text,
  textLike,
  truth,
  VARIABLE,
  type Place,
} from "./document.ts";
import type { Json, JsonObject } from "./json.ts";
import { stateAt, type StateEnvelope } from "./state-envelope.ts";

export const API_VERSION = "exec/v1" as const;

export const MODULE_ACTIONS = ["preview", "apply", "refresh", "destroy", "import"] as const;
export type ModuleAction = (typeof MODULE_ACTIONS)[number];

/** Where state is kept: by the tool's own backend, in request and response, or nowhere (only when asked for). */
export const STATE_MODES = ["remote", "carried", "ephemeral"] as const;
export type StateMode = (typeof STATE_MODES)[number];

export interface Backend {
  readonly type: string;
  readonly config: Readonly<Record<string, string>>;
}

/** A resource outside that a stack takes over. `type` and `name` are Pulumi's; OpenTofu's address says both. */
export interface ImportMapping {
  readonly address: string;
  readonly id: string;
  readonly type?: string;
  readonly name?: string;
}

export interface ModuleRequest {
  readonly action: ModuleAction;
  readonly inputs: JsonObject;
  /** Variables that are not secret; secret ones go through the secret channel. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly stack_name?: string;
  /** An envelope, or the tool's own state as the published interface declares it. */
  readonly state?: StateEnvelope | Json;
  readonly backend?: Backend;
  readonly api_version?: typeof API_VERSION;
  readonly run_id?: string;
  /** RFC 3339. */
  readonly deadline?: string;
  readonly state_mode?: StateMode;
  /** For apply: what a preview answered; the run is refused when anything moved since. */
  readonly plan_digest?: string;
  /** Without `update` a refresh reports and changes nothing. */
  readonly refresh?: { readonly update?: boolean };
  readonly import?: readonly ImportMapping[];
  readonly destroy?: { readonly allow_missing_state?: boolean };
  /** Inputs whose values come through the secret channel. */
  readonly secret_inputs?: readonly string[];
}

/** What the entrypoint reads from standard input with `KILN_SECRETS=stdin`. It stands nowhere else. */
export interface SecretDocument {
  readonly inputs?: JsonObject;
  readonly environment?: Readonly<Record<string, string>>;
  /** By variable: the file that it shall name, with its content. */
  readonly files?: Readonly<Record<string, { readonly name: string; readonly base64: string }>>;
  /** The tool's own state in the clear, which has every secret of the stack: never in the request, which is written to a disk. */
  readonly state?: JsonObject;
  /** 32 bytes, base64. */
  readonly state_key?: string;
  /** False where no other run has the key: there is no plan digest then. */
  readonly state_key_lasting?: boolean;
}

/** A name as Pulumi takes it: `stack`, `project/stack` or `organization/project/stack`, each part up to 100 characters. */
const STACK_NAME = /^(?!\.{1,2}(?:\/|$))[\w.][\w.-]{0,99}(?:\/(?!\.{1,2}(?:\/|$))[\w.][\w.-]{0,99}){0,2}$/;
const TIMESTAMP = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const RUN_ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;

/**
 * Reads a request. Unknown fields are left out; a field of a wrong type is a usage error that names its path and never
 * repeats its value.
 */
export function parseRequest(source: string): ModuleRequest {
  return requestAt(parseDocument(source, "request", "usage"));
}

/** The same for a request that is no text yet. */
export function checkRequest(request: unknown): ModuleRequest {
  return parseRequest(JSON.stringify(request));
}

function requestAt(place: Place): ModuleRequest {
  const request: ModuleRequest = {
    action: need(place, "action", oneOf(MODULE_ACTIONS)),
    inputs: may(place, "inputs", object).inputs ?? {},
    ...may(place, "environment", environment),
    ...may(place, "stack_name", textLike(STACK_NAME, "a stack name: letters, digits, _ . - in up to three parts")),
    ...may(place, "state", stateAt),
    ...may(place, "backend", backend),
    ...may(place, "api_version", oneOf([API_VERSION])),
    ...may(place, "run_id", textLike(RUN_ID, "up to 128 letters, digits, _ . -, a letter or digit first")),
    ...may(place, "deadline", textLike(TIMESTAMP, "a time as in RFC 3339")),
    ...may(place, "state_mode", oneOf(STATE_MODES)),
    ...may(place, "plan_digest", textLike(DIGEST, "sha256: and 64 hexadecimal digits")),
    ...may(place, "refresh", (at) => may(at, "update", truth)),
    ...may(place, "import", listOf(mapping)),
    ...may(place, "destroy", (at) => may(at, "allow_missing_state", truth)),
    ...may(place, "secret_inputs", listOf(text)),
  };
  return withPublishedMappings(request, place);
}

/** The published interface puts mappings among the inputs; a module shall not see them as one. */
function withPublishedMappings(request: ModuleRequest, place: Place): ModuleRequest {
  const { __import_mappings: mappings, ...inputs } = request.inputs;
  if (mappings === undefined) return request;
  const found = listOf(mapping)(member(member(place, "inputs"), "__import_mappings"));
  return { ...request, inputs, import: request.import ?? found };
}

function mapping(place: Place): ImportMapping {
  return {
    address: need(place, "address", text),
    id: need(place, "id", text),
    ...may(place, "type", text),
    ...may(place, "name", text),
  };
}

function environment(place: Place): Readonly<Record<string, string>> {
  const variables = mapOf(text)(place);
  const unfit = Object.keys(variables).find((name) => !VARIABLE.test(name));
  if (unfit !== undefined) throw new KilnError(place.kind, `${member(place, unfit).path} is no name of a variable`);
  return variables;
}

function backend(place: Place): Backend {
  return { type: need(place, "type", text), config: may(place, "config", mapOf(text)).config ?? {} };
}
