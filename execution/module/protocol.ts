/**
 * What goes into a module's container and what comes out: `/workspace/input.json` and `/workspace/output.json`. A superset
 * of the interface published by cldctl; own fields are optional in a request and filled in where a response lacks them.
 * The JSON Schemas in `schema/` describe the same documents.
 */
export type { Json, JsonObject } from "./json.ts";
export * from "./request.ts";
export * from "./response.ts";
export { isEnvelope, STATE_FORMAT, TOOLS, type StateEnvelope, type ToolName } from "./state-envelope.ts";
