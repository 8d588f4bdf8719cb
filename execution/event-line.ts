import { isObject } from "./module/document.ts";
import { parseExactJson, type Json, type JsonObject } from "./module/json.ts";

/** A line that an entrypoint prints: a JSON document with its time. */
export interface EventLine extends JsonObject {
  readonly at: string;
}

/** The event that a line is; nothing for any other line, such as one of an image's own entrypoint. */
export function eventLine(line: string): EventLine | undefined {
  if (!line.startsWith("{")) return undefined;
  let value: Json;
  try {
    value = parseExactJson(line);
  } catch {
    return undefined;
  }
  return isObject(value) && typeof value.at === "string" ? { ...value, at: value.at } : undefined;
}
