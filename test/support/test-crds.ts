import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { parse } from "yaml";
import { CRD_GROUP, CRD_KINDS, crdFile, type CrdPlural } from "../../runners/controller/crd-pins.ts";
import { goldenFile } from "./golden.ts";

const PLURALS = Object.keys(CRD_KINDS) as CrdPlural[];

/**
 * Puts the CRDs of actions-runner-controller into a folder: the real ones where the checkout has them beside it, else, and it
 * says so, ones that let every field pass. Without their prose, nine tenths of their bytes, which every step of the engine
 * would carry; the API server has the whole of them in kubernetes-provider.test.ts.
 */
export async function writeTestCrds(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const plural of PLURALS) {
    const real = goldenFile(`crds/${crdFile(plural)}`);
    const text =
      real === undefined
        ? permissive(plural, CRD_KINDS[plural])
        : JSON.stringify(withoutProse(parse(await readFile(real, "utf8"))));
    await writeFile(path.join(folder, crdFile(plural)), text);
  }
}

/** A PodMonitor and a PrometheusRule that take anything: the Prometheus operator's own are not at hand. */
export const MONITORING_CRDS = { podmonitors: "PodMonitor", prometheusrules: "PrometheusRule" } as const;

/** A CRD whose objects may hold anything, as JSON, which is YAML. */
export function permissive(plural: string, kind: string, group = CRD_GROUP, version = "v1alpha1"): string {
  const anything = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  return JSON.stringify({
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: { openAPIV3Schema: { type: "object", properties: { spec: anything, status: anything } } },
        },
      ],
    },
  });
}

/** A schema without its descriptions. A property that is called `description` has a schema, no text. */
function withoutProse(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutProse);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([key, inner]) => key !== "description" || typeof inner !== "string");
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutProse(inner)]));
}
