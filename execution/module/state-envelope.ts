import { count, isObject, need, oneOf, text, textLike, wrong, type Place } from "./document.ts";
import type { Json } from "./json.ts";

export const TOOLS = ["pulumi", "opentofu"] as const;
export type ToolName = (typeof TOOLS)[number];

export const STATE_FORMAT = "kiln-state/v1";

/** Carried state, encrypted. The additional data of the cipher is `format|tool|stack|lineage|serial`. */
export interface StateEnvelope {
  readonly format: typeof STATE_FORMAT;
  readonly tool: ToolName;
  readonly stack: string;
  /** A UUID that a stack keeps from its first state on. */
  readonly lineage: string;
  /** Grows by one with every changed state. */
  readonly serial: number;
  readonly cipher: "aes-256-gcm";
  readonly nonce: string;
  readonly data: string;
}

const LINEAGE = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** Reads an envelope of carried state; a field that is wrong is an error with its path. */
export function readEnvelope(place: Place): StateEnvelope {
  return {
    format: need(place, "format", oneOf([STATE_FORMAT])),
    tool: need(place, "tool", oneOf(TOOLS)),
    stack: need(place, "stack", text),
    lineage: need(place, "lineage", textLike(LINEAGE, "a UUID")),
    serial: need(place, "serial", count),
    cipher: need(place, "cipher", oneOf(["aes-256-gcm"])),
    nonce: need(place, "nonce", textLike(BASE64, "base64")),
    data: need(place, "data", textLike(BASE64, "base64")),
  };
}

/** Whether a checked state is an envelope, and not the tool's own. */
export function isEnvelope(state: StateEnvelope | Json | undefined): state is StateEnvelope {
  return isObject(state) && state.format === STATE_FORMAT;
}

/** The `state` of a document: an envelope is checked; what has no format is the tool's own state. */
export function stateAt(place: Place): StateEnvelope | Json {
  if (!isObject(place.value)) throw wrong(place, "an object");
  return place.value.format === undefined ? place.value : readEnvelope(place);
}
