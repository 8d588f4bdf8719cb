import { KilnError, type ErrorKind } from "../../errors.ts";
import { parseExactJson, type Json, type JsonObject } from "./json.ts";

/** A value of a JSON document, where it stands, and what kind of error it is when it is wrong. */
export interface Place {
  readonly value: Json | undefined;
  /** `request.inputs.name`: the document's name and the path in it. */
  readonly path: string;
  readonly kind: ErrorKind;
}

/** The name of a variable, as every shell takes it. */
export const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

type Check<T> = (place: Place) => T;

/** Reads a text as a JSON document called `name`. Throws a KilnError of `kind` where it is none. */
export function parseDocument(text: string, name: string, kind: ErrorKind): Place {
  try {
    return { value: parseExactJson(text), path: name, kind };
  } catch (error) {
    throw new KilnError(kind, `${name} is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The error of a value that is not what it must be. It names the value's type, never the value: that may be a secret. */
export function wrong({ path, value, kind }: Place, expected: string): KilnError {
  return new KilnError(kind, `${path} must be ${expected}, but is ${described(value)}`);
}

export const text: Check<string> = (place) => {
  if (typeof place.value === "string") return place.value;
  throw wrong(place, "a string");
};

export const truth: Check<boolean> = (place) => {
  if (typeof place.value === "boolean") return place.value;
  throw wrong(place, "true or false");
};

export const amount: Check<number> = (place) => {
  if (typeof place.value === "number" && place.value >= 0) return place.value;
  throw wrong(place, "a number from 0 on");
};

export const count: Check<number> = (place) => {
  if (typeof place.value === "number" && place.value >= 0 && Number.isSafeInteger(place.value)) return place.value;
  throw wrong(place, "a whole number from 0 on");
};

/** A text that matches, described as errors shall say it. */
export function textLike(pattern: RegExp, description: string): Check<string> {
  return (place) => {
    if (typeof place.value === "string" && pattern.test(place.value)) return place.value;
    throw wrong(place, description);
  };
}

export function oneOf<const Choice extends string>(choices: readonly Choice[]): Check<Choice> {
  return (place) => {
    const choice = choices.find((known) => known === place.value);
    if (choice !== undefined) return choice;
    throw wrong(place, `one of ${choices.join(", ")}`);
  };
}

export const object: Check<JsonObject> = (place) => {
  if (isObject(place.value)) return place.value;
  throw wrong(place, "an object");
};

/** An object whose values all pass a check. */
export function mapOf<T>(check: Check<T>): Check<Readonly<Record<string, T>>> {
  return (place) => Object.fromEntries(Object.entries(object(place)).map(([key]) => [key, check(member(place, key))]));
}

export function listOf<T>(check: Check<T>): Check<readonly T[]> {
  return (place) => {
    if (!Array.isArray(place.value)) throw wrong(place, "a list");
    return place.value.map((value: Json, at) => check({ ...place, value, path: `${place.path}[${at}]` }));
  };
}

/** A field of an object. */
export function member(place: Place, name: string): Place {
  const fields = object(place);
  const path = /^[A-Za-z_][\w-]*$/.test(name) ? `${place.path}.${name}` : `${place.path}[${JSON.stringify(name)}]`;
  return { ...place, value: Object.hasOwn(fields, name) ? fields[name] : undefined, path };
}

/** A field that must be there. */
export function need<T>(place: Place, name: string, check: Check<T>): T {
  const field = member(place, name);
  if (field.value === undefined) throw new KilnError(place.kind, `${field.path} is missing`);
  return check(field);
}

/** `{name: checked value}` to spread where the field is there; nothing where it is absent or null. */
export function may<Name extends string, T>(
  place: Place,
  name: Name,
  check: Check<T>,
): Readonly<Partial<Record<Name, T>>> {
  const field = member(place, name);
  const found = field.value === undefined || field.value === null ? {} : { [name]: check(field) };
  return found as Readonly<Partial<Record<Name, T>>>;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isRaw(value);
}

function isRaw(value: object): boolean {
  return (JSON as unknown as { isRawJSON(value: unknown): boolean }).isRawJSON(value);
}

function described(value: Json | undefined): string {
  if (value === undefined) return "absent";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return isRaw(value) ? "a number" : "an object";
  return { string: "a string", number: "a number", boolean: "a truth value" }[typeof value as "string"];
}
