import { parse } from "yaml";
import { KilnError, messageOf } from "../../errors.ts";
import { CRD_GROUP, CRD_KINDS, type CrdPlural } from "./crd-pins.ts";

/** A CRD as it is applied. What its schemas say is between its author and the API server. */
export interface CustomResourceDefinition {
  readonly apiVersion: "apiextensions.k8s.io/v1";
  readonly kind: "CustomResourceDefinition";
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: CustomResourceDefinitionSpec;
}

export interface CustomResourceDefinitionSpec {
  readonly group: string;
  readonly scope: string;
  readonly names: { readonly kind: string; readonly plural: string };
  readonly versions: readonly { readonly name: string; readonly served: boolean; readonly storage: boolean }[];
}

/** Where a stack says where its CRDs come from. */
export const CRDS_KEY = "kiln:controller.crds";

/**
 * The CRD in `text`, which `from` names in errors. Throws a usage error unless it is the one of that plural: another group,
 * kind or version would be applied, and its objects lost at the next upgrade.
 */
export function parseCrd(text: string, plural: CrdPlural, from: string): CustomResourceDefinition {
  const crd = parsedYaml(text, from);
  for (const [key, value] of Object.entries(expected(plural))) {
    const found = valueAt(crd, key);
    if (found !== value)
      throw mistaken(from, `${key} is ${JSON.stringify(found ?? null)}, not ${JSON.stringify(value)}`);
  }
  return crd as CustomResourceDefinition;
}

function expected(plural: CrdPlural): Readonly<Record<string, unknown>> {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    "metadata.name": `${plural}.${CRD_GROUP}`,
    "spec.group": CRD_GROUP,
    "spec.scope": "Namespaced",
    "spec.names.plural": plural,
    "spec.names.kind": CRD_KINDS[plural],
    "spec.versions.length": 1,
    "spec.versions.0.name": "v1alpha1",
    "spec.versions.0.served": true,
    "spec.versions.0.storage": true,
  };
}

function valueAt(object: unknown, key: string): unknown {
  return key
    .split(".")
    .reduce<unknown>((part, name) => (part as Record<string, unknown> | null | undefined)?.[name], object);
}

function parsedYaml(text: string, from: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw mistaken(from, messageOf(error));
  }
}

function mistaken(from: string, why: string): KilnError {
  return new KilnError("usage", `${from} is no CRD of actions-runner-controller: ${why}`, {
    mend: `Set ${CRDS_KEY} to official, or to a folder with the release's own crds/`,
  });
}
