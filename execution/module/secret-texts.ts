import { isObject } from "./document.ts";
import type { Json } from "./json.ts";

/** Fields of a file of credentials whose value is the secret itself. */
const SECRET_FIELD = /secret|token|password|passphrase|private|key(?:-data)?$/i;
/** What may be a key or token in a file of any form: long, no address, and not the name that one is given under. */
const TOKEN = /(?<![\w/+.-])(?:\/(?!\/))?[\w+][\w/+.-]{14,}={0,2}(?![\w/+=.-]|[ \t]*[:=])/g;

/** The texts that tell a secret value: it itself, or of an object or a list every text and long number in it. */
export function secretsOfValue(value: Json): readonly string[] {
  if (typeof value === "string") return [value];
  if (value === null || typeof value === "boolean") return [];
  if (Array.isArray(value)) return value.flatMap((one: Json) => secretsOfValue(one));
  if (isObject(value)) return Object.values(value).flatMap(secretsOfValue);
  return [JSON.stringify(value)];
}

/** The secrets in a file of credentials: of JSON the fields that are named so, of any other form what looks like a key. */
export function secretsOfFile(text: string): readonly string[] {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return [...(text.match(TOKEN) ?? []), ...(text.includes("\n") ? [] : [text.trim()]), ...pemOf(text)];
  }
  return secretFields(document);
}

function secretFields(document: unknown): readonly string[] {
  if (typeof document !== "object" || document === null) return [];
  return Object.entries(document).flatMap(([name, value]: [string, unknown]) => {
    if (SECRET_FIELD.test(name) && (typeof value === "string" || Array.isArray(value))) return textsIn(value);
    return typeof value === "string" ? [] : secretFields(value);
  });
}

/** A text, or of a list named as secrets are every text, also in lists in it. */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value.flatMap((one: unknown) => textsIn(one)) : secretFields(value);
}

function pemOf(text: string): readonly string[] {
  return text.match(/-----BEGIN [^-]*PRIVATE KEY-----[^]*?-----END [^-]*-----/g) ?? [];
}
