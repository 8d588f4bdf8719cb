import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { goldenFile } from "./golden.ts";

/** The parts of a structural OpenAPI schema that the CRDs of actions-runner-controller use. */
interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly minimum?: number;
  readonly pattern?: string;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly "x-kubernetes-int-or-string"?: boolean;
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean;
  readonly "x-kubernetes-list-type"?: string;
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
}

interface Definition {
  readonly spec: { readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: Schema } }[] };
}

/** The schema of one CRD, such as `autoscalingrunnersets`, or undefined and a printed line where this machine has none. */
export function readCrdSchema(plural: string): Schema | undefined {
  const file = goldenFile(`crds/actions.github.com_${plural}.yaml`);
  if (file === undefined) return undefined;
  const { spec } = parse(readFileSync(file, "utf8")) as Definition;
  return spec.versions[0]?.schema.openAPIV3Schema;
}

/**
 * What an API server would refuse or silently drop of an object: one line each, with the path. Unknown fields count, which an
 * API server prunes; `metadata` is checked by the server itself, not by a CRD.
 */
export function schemaProblems(value: unknown, schema: Schema, at = ""): readonly string[] {
  if (schema["x-kubernetes-int-or-string"] === true) {
    return typeof value === "string" || Number.isInteger(value) ? [] : [`${at}: is no number or string`];
  }
  switch (schema.type) {
    case "object":
      return isMap(value) ? objectProblems(value, schema, at) : [`${at}: is no object`];
    case "array":
      return Array.isArray(value) ? listProblems(value, schema, at) : [`${at}: is no list`];
    case "integer":
      return Number.isInteger(value) ? minimumProblems(value as number, schema, at) : [`${at}: is no whole number`];
    case "number":
      return typeof value === "number" ? minimumProblems(value, schema, at) : [`${at}: is no number`];
    case "string":
      return typeof value === "string" ? textProblems(value, schema, at) : [`${at}: is no text`];
    case "boolean":
      return typeof value === "boolean" ? [] : [`${at}: is neither true nor false`];
    case undefined:
    default:
      throw new Error(`${at}: the schema has a type that this walker does not know: ${String(schema.type)}`);
  }
}

function objectProblems(value: Readonly<Record<string, unknown>>, schema: Schema, at: string): readonly string[] {
  const missing = (schema.required ?? []).filter(
    (key) => value[key] === undefined && schema.properties?.[key]?.default === undefined,
  );
  const opaque = schema.properties === undefined && schema.additionalProperties === undefined;
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return [
    ...missing.map((key) => `${at}.${key}: is missing`),
    ...fields.flatMap(([key, field]) => {
      const inner = schema.properties?.[key] ?? schema.additionalProperties;
      if (inner === true || (at === "" && key === "metadata")) return [];
      if (typeof inner === "object") return schemaProblems(field, inner, `${at}.${key}`);
      return opaque || schema["x-kubernetes-preserve-unknown-fields"] === true ? [] : [`${at}.${key}: is unknown`];
    }),
  ];
}

/** Lists that the server keeps as maps or sets refuse two entries of one key. */
function listProblems(list: readonly unknown[], schema: Schema, at: string): readonly string[] {
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  const kind = schema["x-kubernetes-list-type"];
  const identities = list.map((entry) =>
    JSON.stringify(kind === "map" && isMap(entry) ? keys.map((key) => entry[key] ?? null) : entry),
  );
  const unique = kind !== "map" && kind !== "set" ? true : new Set(identities).size === list.length;
  const { items } = schema;
  return [
    ...(unique ? [] : [`${at}: has two entries of one key`]),
    ...(items === undefined ? [] : list.flatMap((entry, index) => schemaProblems(entry, items, `${at}[${index}]`))),
  ];
}

function minimumProblems(value: number, { minimum }: Schema, at: string): readonly string[] {
  return minimum !== undefined && value < minimum ? [`${at}: is below ${minimum}`] : [];
}

function textProblems(value: string, { pattern, enum: choices }: Schema, at: string): readonly string[] {
  if (pattern !== undefined && !new RegExp(pattern).test(value)) return [`${at}: does not match ${pattern}`];
  return choices === undefined || choices.includes(value) ? [] : [`${at}: is none of ${choices.join(", ")}`];
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
