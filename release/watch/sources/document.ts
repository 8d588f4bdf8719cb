/** A document's object. Throws for anything else, in words for whoever looks at the source. */
export function object(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Error("it has no map where one belongs");
}

/** A document's list. Throws for anything else. */
export function list(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new Error("it has no list where one belongs");
}

/** A name: whatever is none is kept as it is, to be reported as malformed. */
export function text(value: unknown): string {
  return typeof value === "string" ? value.slice(0, 200) : JSON.stringify(value ?? null).slice(0, 200);
}

/** When something was published, as a part of a release; nothing where it is no time. */
export function time(value: unknown): { readonly published?: number } {
  const published = typeof value === "string" ? Date.parse(value) : NaN;
  return Number.isNaN(published) ? {} : { published };
}
