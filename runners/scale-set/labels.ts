import { ARC_VERSION } from "../controller/arc.ts";
import type { OwnMetaKey, ScaleSetRequest } from "./request.ts";

/** Metadata of an object of a scale set. */
export interface Metadata<Text> {
  readonly name: string;
  readonly namespace: Text;
  readonly labels: Readonly<Record<string, Text | string>>;
  readonly annotations?: Readonly<Record<string, Text | string>>;
}

/** The annotation whose change restarts the listener (read by 0.14). */
export const VALUES_HASH = "actions.github.com/values-hash";

const COMPONENT = "app.kubernetes.io/component";

/** The labels that every object of a scale set carries. The version decides: the controller deletes a set of another minor. */
export function scaleSetLabels<Text>(name: string, namespace: Text): Record<string, Text | string> {
  return {
    "app.kubernetes.io/name": name,
    "app.kubernetes.io/instance": name,
    "app.kubernetes.io/version": ARC_VERSION,
    "app.kubernetes.io/managed-by": "pulumi",
    "app.kubernetes.io/part-of": "gha-rs",
    "actions.github.com/scale-set-name": name,
    "actions.github.com/scale-set-namespace": namespace,
  };
}

/** Whether a label or annotation is one that is set here, or one in which the controller reads a meaning. */
export function isReservedKey(key: string): boolean {
  return key.startsWith("actions.github.com/") || key === COMPONENT || key in scaleSetLabels("", "");
}

/** The metadata of one object: what the request wants everywhere, what it wants there, then what is set here. */
export function metadataOf<Text>(
  { scaleSetName, namespace, everyObject, resourceMeta }: ScaleSetRequest<Text>,
  {
    name,
    key,
    component,
  }: { readonly name: string; readonly key: OwnMetaKey; readonly component?: string | undefined },
): Metadata<Text> {
  const annotations = { ...everyObject?.annotations, ...resourceMeta?.[key]?.annotations };
  return {
    name,
    namespace,
    labels: {
      ...everyObject?.labels,
      ...resourceMeta?.[key]?.labels,
      ...(component === undefined ? {} : { [COMPONENT]: component }),
      ...scaleSetLabels(scaleSetName, namespace),
    },
    ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
  };
}
