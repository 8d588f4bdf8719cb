/**
 * What a job is asked and what it answers: its description, which both runners make a container of, and `result.json`. The
 * JSON Schemas in `schema/` describe the same documents.
 */
export * from "./description.ts";
export * from "./limits.ts";
export * from "./result.ts";
export * from "./timeouts.ts";
