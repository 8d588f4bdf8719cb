/** Any JSON value. A number that no double holds exactly is an object of `JSON.rawJSON`, which prints it unchanged. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** What `JSON` of this Node has and TypeScript's library does not yet describe. */
interface SourceJson {
  rawJSON(text: string): Json;
  parse(
    text: string,
    revive: (this: unknown, key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown;
}

const sourceJson = JSON as unknown as SourceJson;

/**
 * Reads JSON without losing digits: a number that no double holds, such as an id of 20 digits, stays as its text and is
 * printed so by `JSON.stringify`. Throws what `JSON.parse` throws.
 */
export function parseExactJson(text: string): Json {
  return sourceJson.parse(text, (_key, value, { source }) =>
    typeof value === "number" && source !== undefined && !holds(value, source) ? sourceJson.rawJSON(source) : value,
  ) as Json;
}

/** Whether a double prints as the same decimal number as the text that it was read from. */
function holds(value: number, source: string): boolean {
  return Number.isFinite(value) && decimalOf(String(value)) === decimalOf(source);
}

/** A decimal number in one spelling: digits without zeros at either end, and the exponent that goes with them. */
function decimalOf(text: string): string {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/.exec(text) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, "");
  const short = digits.replace(/0+$/, "");
  if (short === "") return "0";
  return `${sign}${short}e${Number(exponent) - fraction.length + digits.length - short.length}`;
}
