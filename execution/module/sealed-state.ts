import { createCipheriv, randomBytes, randomUUID } from "node:crypto";
import { isObject } from "./document.ts";
import type { ModuleResponse } from "./response.ts";
import { isEnvelope, STATE_FORMAT, TOOLS, type StateEnvelope } from "./state-envelope.ts";

/** Under what a state is sealed. */
export interface Sealing {
  readonly key: Buffer;
  readonly stack: string;
  /** What the run began with: the next state is of its lineage, one serial on. */
  readonly sent: StateEnvelope | undefined;
}

/**
 * A response whose state is an envelope, or absent: one in the clear, which another implementation's entrypoint may give,
 * is sealed, so that it is neither lost nor kept for everybody to read. An empty object is no state.
 */
export function sealedResponse(
  response: ModuleResponse,
  sealing: Sealing,
): { readonly response: ModuleResponse; readonly wasPlain: boolean } {
  const { state, ...rest } = response;
  if (state === undefined || isEnvelope(state)) return { response, wasPlain: false };
  if (isObject(state) && Object.keys(state).length === 0) return { response: rest, wasPlain: false };
  return { response: { ...rest, state: sealedState(response, sealing) }, wasPlain: true };
}

function sealedState({ state, tool }: ModuleResponse, { key, stack, sent }: Sealing): StateEnvelope {
  const head = {
    format: STATE_FORMAT,
    // Of Pulumi's state the resources are below `deployment`.
    tool:
      TOOLS.find((known) => known === tool?.name) ?? (isObject(state) && "deployment" in state ? "pulumi" : "opentofu"),
    stack,
    lineage: sent?.lineage ?? randomUUID(),
    serial: (sent?.serial ?? 0) + 1,
  } as const;
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(Buffer.from(Object.values(head).join("|")));
  const data = Buffer.concat([cipher.update(JSON.stringify(state)), cipher.final(), cipher.getAuthTag()]);
  return { ...head, cipher: "aes-256-gcm", nonce: nonce.toString("base64"), data: data.toString("base64") };
}
