/** What an expression of a workflow evaluates to: any JSON value. */
export type Value = null | boolean | number | string | readonly Value[] | ValueMap;
export interface ValueMap {
  readonly [key: string]: Value;
}

/** GitHub's falsy values; everything else is true, empty lists and maps as well. */
export function isTruthy(value: Value): boolean {
  return !(value === null || value === false || value === "" || value === 0 || Number.isNaN(value));
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** The number that GitHub makes of a value before it compares values of two kinds; NaN where there is none. */
export function asNumber(value: Value): number {
  if (value === null || value === false) return 0;
  if (value === true) return 1;
  if (typeof value === "number") return value;
  if (typeof value !== "string") return NaN;
  const text = value.trim();
  if (text === "") return 0;
  if (/^0x[\da-f]+$/i.test(text) || /^0o[0-7]+$/.test(text)) return Number(text);
  if (/^[+-]?Infinity$/.test(text)) return text.startsWith("-") ? -Infinity : Infinity;
  return NUMBER.test(text) ? Number(text) : NaN;
}

/** The text that stands where an expression stood in a longer text. */
export function asText(value: Value): string {
  if (value === null) return "";
  if (typeof value === "object") return Array.isArray(value) ? "Array" : "Object";
  // JavaScript has a negative zero; GitHub prints it as it prints the other.
  return Object.is(value, -0) ? "0" : String(value);
}

/** GitHub's `==`: texts whatever their case, lists and maps only with themselves, two kinds as numbers. */
export function looselyEqual(left: Value, right: Value): boolean {
  if (typeof left === "string" && typeof right === "string") return folded(left) === folded(right);
  if (isCollection(left) || isCollection(right)) return left === right;
  return asNumber(left) === asNumber(right);
}

/** GitHub's order: below 0, 0 or above; undefined where two values have none, and then no comparison is true. */
export function ordered(left: Value, right: Value): number | undefined {
  if (typeof left === "string" && typeof right === "string") {
    const [a, b] = [folded(left), folded(right)];
    return a < b ? -1 : Number(a > b);
  }
  if (isCollection(left) && left === right) return 0;
  const [a, b] = [asNumber(left), asNumber(right)];
  return Number.isNaN(a) || Number.isNaN(b) ? undefined : Math.sign(a === b ? 0 : a - b);
}

/** A text as it is compared: GitHub ignores case. */
export function folded(text: string): string {
  return text.toUpperCase();
}

export function isMap(value: Value | undefined): value is ValueMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isList(value: Value | undefined): value is readonly Value[] {
  return Array.isArray(value);
}

function isCollection(value: Value): boolean {
  return typeof value === "object" && value !== null;
}
