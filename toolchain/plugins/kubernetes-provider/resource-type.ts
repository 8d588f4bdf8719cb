import { namesOfId, type KubeObject } from "./kube-object.ts";

/** The type of a resource in its URN, without those of its parents: `kubernetes:apps/v1:Deployment`. */
export function typeOf(urn: string): string {
  return urn.split("::")[2]?.split("$").at(-1) ?? "";
}

/** Why resources of a type are none of this plugin: releases of charts, and patches of objects that others own. */
export function typeProblem(type: string): string | undefined {
  const isOther = type.endsWith("Patch") || /^kubernetes:(helm|kustomize|yaml)/.test(type);
  return isOther ? `kiln's loopback kubernetes plugin has objects only, no ${type}` : undefined;
}

/** An object to import, of which only type and id are known: `kubernetes:core/v1:Secret`, `namespace/name`. */
export function objectOfType(type: string, id: string): KubeObject {
  const [, apiVersion = "", kind = ""] = type.split(":");
  return { apiVersion: apiVersion.replace(/^core\//, ""), kind, metadata: namesOfId(id) };
}
