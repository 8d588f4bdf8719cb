/** Whether a value that was read from a file is a map of names to values. */
export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The map that a JSON text is; an empty one where it is anything else, or no JSON. */
export function parsedMap(text: string): Readonly<Record<string, unknown>> {
  try {
    const found: unknown = JSON.parse(text);
    return isMap(found) ? found : {};
  } catch {
    return {};
  }
}

/** Whether a value that was read from a file is a list of texts. */
export function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

/** Whether a value that was read from a file is a map of names to texts. */
export function isTextMap(value: unknown): value is Readonly<Record<string, string>> {
  return isMap(value) && Object.values(value).every((item) => typeof item === "string");
}

/** Whether a text is a path that stays below where it begins. */
export function isInside(value: unknown): value is string {
  return typeof value === "string" && !value.startsWith("/") && !value.split("/").includes("..");
}
