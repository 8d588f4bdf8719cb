import { readFileSync } from "node:fs";
import path from "node:path";

type Value = null | boolean | number | string | Value[] | { [key: string]: Value };
type Schema = Readonly<Record<string, Value>>;

const PROJECT = path.resolve(import.meta.dirname, "../../../..");

/** A function that says whether a document fits one of the schemas beside the protocol. */
export function schemaOf(name: "request" | "response"): (document: unknown) => boolean {
  return schemaIn(`execution/module/schema/${name}.schema.json`);
}

/** The same of any schema of the project. */
export function schemaIn(file: string): (document: unknown) => boolean {
  const root = JSON.parse(readFileSync(path.join(PROJECT, file), "utf8")) as Schema;
  return (document) => fits(document as Value, root, root);
}

const NOTES = ["$schema", "$id", "$defs", "title", "description"];

/** What each keyword demands; one that the schemas use and that is not here is an error, not a pass. */
const KEYWORDS: Readonly<Record<string, (value: Value, demand: Value, schema: Schema, root: Schema) => boolean>> = {
  type: (value, demand) => [demand].flat().some((type) => isOf(value, type as string)),
  enum: (value, demand) => (demand as Value[]).includes(value),
  const: (value, demand) => value === demand,
  pattern: (value, demand) => typeof value !== "string" || new RegExp(demand as string).test(value),
  minimum: (value, demand) => typeof value !== "number" || value >= (demand as number),
  required: (value, demand) =>
    !isOf(value, "object") || (demand as string[]).every((name) => name in (value as object)),
  properties: (value, demand, _, root) =>
    !isOf(value, "object") ||
    Object.entries(demand as Record<string, Schema>).every(
      ([name, schema]) =>
        !(name in (value as object)) || fits((value as Record<string, Value>)[name] ?? null, schema, root),
    ),
  propertyNames: (value, demand, _, root) =>
    !isOf(value, "object") || Object.keys(value as object).every((name) => fits(name, demand as Schema, root)),
  additionalProperties: (value, demand, schema, root) =>
    !isOf(value, "object") ||
    Object.entries(value as Record<string, Value>).every(
      ([name, one]) => name in ((schema.properties ?? {}) as object) || fits(one, demand as Schema, root),
    ),
  items: (value, demand, _, root) => !Array.isArray(value) || value.every((one) => fits(one, demand as Schema, root)),
  anyOf: (value, demand, _, root) => (demand as Schema[]).some((schema) => fits(value, schema, root)),
  not: (value, demand, _, root) => !fits(value, demand as Schema, root),
  $ref: (value, demand, _, root) => fits(value, definition(demand as string, root), root),
};

function fits(value: Value, schema: Schema, root: Schema): boolean {
  return Object.entries(schema)
    .filter(([keyword]) => !NOTES.includes(keyword))
    .every(([keyword, demand]) => {
      const check = KEYWORDS[keyword];
      if (check === undefined) throw new Error(`the schema uses ${keyword}, which this test does not know`);
      return check(value, demand, schema, root);
    });
}

function definition(reference: string, root: Schema): Schema {
  const found = (root.$defs as Record<string, Schema>)[reference.replace("#/$defs/", "")];
  if (found === undefined) throw new Error(`there is no ${reference}`);
  return found;
}

function isOf(value: Value, type: string): boolean {
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "object") return typeof value === "object" && value !== null && !Array.isArray(value);
  return type === "integer" ? Number.isInteger(value) : typeof value === type;
}
