import type { KubeObject } from "./kube-object.ts";
import type { Properties } from "../property-values.ts";
import { isObject } from "./secret-paths.ts";

/** How far an object is: done, not yet and what it waits for, or never. */
export type Readiness =
  | { readonly state: "ready" }
  | { readonly state: "waiting"; readonly reason: string }
  | { readonly state: "failed"; readonly reason: string };

const READY: Readiness = { state: "ready" };

/** What the wait for an object needs to know besides the object. */
export interface Surroundings {
  /** The claim's storage class binds a volume only once a pod wants it. */
  readonly bindsLate: boolean;
}

type Rule = (object: KubeObject, around: Surroundings) => Readiness;

/**
 * Kinds that are waited for, by the signs that the official plugin goes by. All others are ready once they are there; it waits
 * for some of them too, such as the endpoints of a Service that is not headless.
 */
const RULES: Readonly<Record<string, Rule>> = {
  "apiextensions.k8s.io/v1 CustomResourceDefinition": (definition) => {
    const refused = conditionOf(definition, "NamesAccepted");
    if (refused?.status === "False") return { state: "failed", reason: text(refused.message) };
    return conditionOf(definition, "Established")?.status === "True" ? READY : waiting("the API server serves it");
  },
  "apps/v1 DaemonSet": (set) => {
    const { desiredNumberScheduled = 0, updatedNumberScheduled = 0, numberAvailable = 0 } = counts(set);
    return rolledOut(set, {
      wanted: desiredNumberScheduled,
      updated: updatedNumberScheduled,
      available: numberAvailable,
    });
  },
  "apps/v1 Deployment": (deployment) => {
    const stuck = conditionOf(deployment, "Progressing");
    if (stuck?.reason === "ProgressDeadlineExceeded") return { state: "failed", reason: text(stuck.message) };
    const { updatedReplicas = 0, availableReplicas = 0, replicas = 0 } = counts(deployment);
    const wanted = wantedReplicas(deployment);
    const done = rolledOut(deployment, { wanted, updated: updatedReplicas, available: availableReplicas });
    if (done.state !== "ready" || replicas <= updatedReplicas) return done;
    return waiting(`${replicas - updatedReplicas} old pods end`);
  },
  "apps/v1 StatefulSet": (set) => {
    const { updatedReplicas = 0, readyReplicas = 0 } = counts(set);
    return rolledOut(set, { wanted: wantedReplicas(set), updated: updatedReplicas, available: readyReplicas });
  },
  "batch/v1 Job": (job) => {
    const failed = conditionOf(job, "Failed");
    if (failed?.status === "True") return { state: "failed", reason: text(failed.message) };
    return conditionOf(job, "Complete")?.status === "True" ? READY : waiting("it is complete");
  },
  "v1 Namespace": (namespace) => (phaseOf(namespace) === "Active" ? READY : waiting("it is active")),
  "v1 PersistentVolume": (volume) =>
    ["Available", "Bound"].includes(phaseOf(volume)) ? READY : waiting("it is available"),
  "v1 PersistentVolumeClaim": (claim, { bindsLate }) => {
    if (phaseOf(claim) === "Lost") return { state: "failed", reason: "its volume is lost" };
    return bindsLate || phaseOf(claim) === "Bound" ? READY : waiting("a volume is bound to it");
  },
  "v1 Pod": (pod) => {
    if (phaseOf(pod) === "Failed") return { state: "failed", reason: text(status(pod).message) };
    if (phaseOf(pod) === "Succeeded" || conditionOf(pod, "Ready")?.status === "True") return READY;
    return waiting("it is ready");
  },
};

/** How far an object is that the API server showed. */
export function readinessOf(object: KubeObject, around: Surroundings): Readiness {
  return RULES[`${object.apiVersion} ${object.kind}`]?.(object, around) ?? READY;
}

function rolledOut(
  object: KubeObject,
  { wanted, updated, available }: { readonly wanted: number; readonly updated: number; readonly available: number },
): Readiness {
  const seen = status(object).observedGeneration;
  if (typeof seen !== "number" || seen < (object.metadata.generation ?? 0)) return waiting("its controller sees it");
  if (updated < wanted) return waiting(`${updated} of ${wanted} pods are new`);
  return available < wanted ? waiting(`${available} of ${wanted} pods are ready`) : READY;
}

function wantedReplicas({ spec }: KubeObject): number {
  return isObject(spec) && typeof spec.replicas === "number" ? spec.replicas : 1;
}

function status(object: KubeObject): Properties {
  return isObject(object.status) ? object.status : {};
}

function counts(object: KubeObject): Readonly<Record<string, number | undefined>> {
  return status(object) as Readonly<Record<string, number | undefined>>;
}

function phaseOf(object: KubeObject): string {
  return text(status(object).phase);
}

function conditionOf(object: KubeObject, type: string): Properties | undefined {
  const { conditions } = status(object);
  return Array.isArray(conditions)
    ? conditions.filter(isObject).find((condition) => condition.type === type)
    : undefined;
}

function waiting(until: string): Readiness {
  return { state: "waiting", reason: `waiting until ${until}` };
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
