/** Properties of a resource on their way between engine and provider: JSON values, and the marks below. */
export type Properties = Readonly<Record<string, unknown>>;

/** What the engine puts in the place of a value that a preview cannot know. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** The key under which the engine marks a special value, and the mark of a secret (`pulumi/sdk/go/common/resource`). */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

export interface Secret {
  readonly value: unknown;
}

/** `value` under the mark that makes the engine encrypt it in the state. */
export function secret(value: unknown): Secret {
  return { [SIGNATURE]: SECRET, value } as Secret;
}

export function isSecret(value: unknown): value is Secret {
  return typeof value === "object" && value !== null && (value as Record<string, unknown>)[SIGNATURE] === SECRET;
}

export function isUnknown(value: unknown): boolean {
  return value === UNKNOWN;
}

/** The value without its secret marks, at every depth. For comparing and for calls; what goes to the state keeps its marks. */
export function plainValue(value: unknown): unknown {
  if (isSecret(value)) return plainValue(value.value);
  if (Array.isArray(value)) return value.map(plainValue);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plainValue(inner)]));
}

/** Whether a secret stands anywhere in the value. */
export function holdsSecret(value: unknown): boolean {
  return isSecret(value) || insideOf(value).some(holdsSecret);
}

/** Whether something that a preview cannot know stands anywhere in the value. */
export function holdsUnknown(value: unknown): boolean {
  return isUnknown(value) || insideOf(value).some(holdsUnknown);
}

function insideOf(value: unknown): unknown[] {
  return typeof value === "object" && value !== null ? Object.values(value) : [];
}
