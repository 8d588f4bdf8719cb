import type { Redactor } from "../redactor.ts";
import type { ModuleOutput, ModuleResponse } from "./response.ts";
import { openOutputs, type OpenOutput } from "./sealed-output.ts";

export interface SafeResponse {
  /** Fit to be kept and shown. */
  readonly response: ModuleResponse;
  /** For the caller alone. */
  readonly outputs: Readonly<Record<string, OpenOutput>>;
}

/**
 * Replaces secrets wherever a response may tell them, though the entrypoint did so before: an image may have another one.
 * An output that has a secret in it is sensitive, whatever the module says; the caller gets its value. State and
 * encrypted outputs stay as they are.
 */
export function safeResponse(response: ModuleResponse, redactor: Redactor, key: Buffer | undefined): SafeResponse {
  const { outputs, unreadable } = openOutputs(response.outputs, key);
  const told = new Set(
    Object.entries(response.outputs)
      .filter(([, { value }]) => JSON.stringify(redactor.document(value)) !== JSON.stringify(value))
      .map(([name]) => name),
  );
  const { state, outputs: written, summary, timings, ...rest } = response;
  const safe: ModuleResponse = {
    ...redactor.document(rest),
    // Counts and seconds stay numbers, also where one happens to have the digits of a secret.
    summary,
    ...(timings === undefined ? {} : { timings: renamed(timings, (name) => redactor.text(name)) }),
    outputs: mapped(written, (output, name) => safeOutput(output, told.has(name))),
    ...(state === undefined ? {} : { state }),
  };
  return {
    response: unreadable.length === 0 ? safe : withUnreadable(safe, unreadable),
    outputs: mapped(outputs, (output, name) => (told.has(name) ? { ...output, sensitive: true } : output)),
  };
}

function safeOutput(output: ModuleOutput, told: boolean): ModuleOutput {
  return told || output.sensitive === true ? { ...output, value: null, sensitive: true } : output;
}

/** An output that nobody can read is a failure: its consumer would take its absence for an empty value. */
function withUnreadable(response: ModuleResponse, names: readonly string[]): ModuleResponse {
  if (!response.success) return response;
  const message = `the outputs ${names.join(", ")} cannot be decrypted: they were encrypted with another key`;
  return {
    ...response,
    success: false,
    error: message,
    error_detail: { code: "state_key_wrong", phase: response.phase, message, retryable: false },
  };
}

function renamed<T>(record: Readonly<Record<string, T>>, name: (old: string) => string): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(record).map(([old, value]) => [name(old), value]));
}

function mapped<From, To>(
  record: Readonly<Record<string, From>>,
  change: (value: From, name: string) => To,
): Readonly<Record<string, To>> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value, name)]));
}
