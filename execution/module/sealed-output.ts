import { createDecipheriv } from "node:crypto";
import { parseExactJson, type Json } from "./json.ts";
import type { ModuleOutput } from "./response.ts";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** An output as the caller needs it: the value itself, and whether to keep it secret. */
export interface OpenOutput {
  readonly value: Json;
  readonly sensitive: boolean;
}

/**
 * Outputs with the sensitive ones decrypted. One that cannot be, because its key or name is another, is left out and named
 * in `unreadable`.
 */
export function openOutputs(
  outputs: Readonly<Record<string, ModuleOutput>>,
  key: Buffer | undefined,
): { readonly outputs: Readonly<Record<string, OpenOutput>>; readonly unreadable: readonly string[] } {
  const opened: [string, OpenOutput][] = [];
  const unreadable: string[] = [];
  for (const [name, { value, sensitive = false, encrypted }] of Object.entries(outputs)) {
    const clear = encrypted === undefined ? value : key && unsealed(encrypted, key, name);
    if (clear === undefined) unreadable.push(name);
    else opened.push([name, { value: clear, sensitive: sensitive || encrypted !== undefined }]);
  }
  return { outputs: Object.fromEntries(opened), unreadable };
}

function unsealed(encrypted: string, key: Buffer, name: string): Json | undefined {
  const sealed = Buffer.from(encrypted, "base64");
  try {
    if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined;
    // Without a length Node takes tags of four bytes on, which are found by trying.
    const options = { authTagLength: TAG_BYTES };
    const cipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, NONCE_BYTES), options);
    cipher.setAAD(Buffer.from(`output:${name}`)).setAuthTag(sealed.subarray(-TAG_BYTES));
    const clear = Buffer.concat([cipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), cipher.final()]);
    return parseExactJson(clear.toString("utf8"));
  } catch {
    return undefined;
  }
}
