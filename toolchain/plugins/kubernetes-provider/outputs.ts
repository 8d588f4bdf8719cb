import type { KubeObject } from "./kube-object.ts";
import { UNKNOWN, type Properties } from "../property-values.ts";
import { isObject, marked, secretPaths, type ValuePath } from "./secret-paths.ts";

/** Where Pulumi's state keeps the name under which an object was applied; the official plugin reads the same field. */
const FIELD_MANAGER = "__fieldManager";

const LAST_APPLIED: ValuePath = ["metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"];

/** The paths that must be secret in state: those that the program marks, and all data of a Secret whoever gives it. */
export function secretsOf(object: Properties, given: unknown = object): readonly ValuePath[] {
  const isSecret = object.apiVersion === "v1" && object.kind === "Secret";
  return [...secretPaths(given), ...(isSecret ? [["data"], ["stringData"], LAST_APPLIED] : [])];
}

/** What the state keeps of an object: all that the API server shows, but not who manages which field. */
export function outputsOf(live: KubeObject, fieldManager: string, secrets: readonly ValuePath[]): Properties {
  const metadata = without(live.metadata, "managedFields");
  return marked({ ...live, metadata, [FIELD_MANAGER]: fieldManager }, secrets) as Properties;
}

/** The outputs of an object that is not there yet: as the API server would make it, with what it chooses itself unknown. */
export function plannedOutputs(object: KubeObject, fieldManager: string, secrets: readonly ValuePath[]): Properties {
  const chosen = { uid: UNKNOWN, resourceVersion: UNKNOWN, creationTimestamp: UNKNOWN };
  const planned = { ...object, metadata: { ...object.metadata, ...chosen } };
  return without(outputsOf(planned, fieldManager, secrets), "status");
}

function without(properties: Properties, name: string): Properties {
  return Object.fromEntries(Object.entries(properties).filter(([key]) => key !== name));
}

/** The name under which an object was applied before. */
export function fieldManagerOf(state: Properties): string | undefined {
  const manager = state[FIELD_MANAGER];
  return typeof manager === "string" ? manager : undefined;
}

/** A message without the secret texts that it may repeat. */
export function withoutSecrets(message: string, object: unknown, secrets: readonly ValuePath[]): string {
  const texts = secrets.flatMap((path) => textsIn(path.reduce<unknown>(step, object)));
  // Longer ones first: one may be a part of another.
  return texts
    .sort((one, other) => other.length - one.length)
    .reduce((shown, text) => shown.replaceAll(text, "[secret]"), message);
}

function step(value: unknown, key: string | number): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string | number, unknown>)[key] : undefined;
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return value.length < 4 ? [] : [value];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  return isObject(value) ? Object.values(value).flatMap(textsIn) : [];
}
