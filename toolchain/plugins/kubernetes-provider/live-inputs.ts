import type { KubeObject } from "./kube-object.ts";
import type { Properties } from "../property-values.ts";
import { isObject } from "./secret-paths.ts";

/**
 * The inputs as the cluster has them now: the fields that the program gives, with the values that the object has. So a
 * refresh finds what others changed, and nothing that a default filled in.
 */
export function liveInputs(inputs: KubeObject, live: KubeObject): KubeObject {
  const now = restricted(inputs, live) as KubeObject;
  const { stringData } = inputs;
  // The API server keeps text of a Secret as base64, under `data`.
  return isObject(stringData) ? { ...now, stringData: decoded(stringData, live.data) } : now;
}

/** The inputs of an object that no program gave yet, as `pulumi import` wants them: without what the server filled in. */
export function importedInputs({ apiVersion, kind, metadata, ...rest }: KubeObject): KubeObject {
  const { name, namespace, labels, annotations } = metadata;
  const fields = Object.entries(rest).filter(([field]) => field !== "status" && !field.startsWith("__"));
  const given = Object.entries({ name, namespace, labels, annotations }).filter(([, value]) => value !== undefined);
  return { apiVersion, kind, metadata: Object.fromEntries(given), ...Object.fromEntries(fields) };
}

function restricted(inputs: unknown, live: unknown): unknown {
  if (isObject(inputs) && isObject(live)) {
    const kept = Object.keys(inputs).filter((key) => live[key] !== undefined);
    return Object.fromEntries(kept.map((key) => [key, restricted(inputs[key], live[key])]));
  }
  if (Array.isArray(inputs) && Array.isArray(live) && inputs.length === live.length) {
    return inputs.map((item, index) => restricted(item, live[index]));
  }
  return live;
}

function decoded(given: Properties, data: unknown): Properties {
  const live = isObject(data) ? data : {};
  const kept = Object.keys(given).filter((key) => typeof live[key] === "string");
  return Object.fromEntries(kept.map((key) => [key, Buffer.from(String(live[key]), "base64").toString()]));
}
