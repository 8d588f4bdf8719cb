import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../../../../toolchain/plugins/kubernetes-provider/kube-object.ts";
import { readinessOf } from "../../../../../toolchain/plugins/kubernetes-provider/readiness.ts";

const EAGER = { bindsLate: false };

const object = (apiVersion: string, kind: string, status: object, spec: object = {}): KubeObject => ({
  ...{ apiVersion, kind, metadata: { name: "x", generation: 2 } },
  ...{ spec, status },
});

const waits = (reason: string) => ({ state: "waiting", reason: `waiting until ${reason}` });

describe("a Deployment", () => {
  const deployment = (status: object, replicas?: number) =>
    readinessOf(object("apps/v1", "Deployment", status, { replicas }), EAGER);
  const seen = { observedGeneration: 2 };

  it.each([
    ["not seen yet", {}, 1, waits("its controller sees it")],
    [
      "seen as it was before",
      { observedGeneration: 1, updatedReplicas: 1, availableReplicas: 1 },
      1,
      waits("its controller sees it"),
    ],
    ["half new", { ...seen, updatedReplicas: 1, availableReplicas: 2, replicas: 2 }, 2, waits("1 of 2 pods are new")],
    ["new and not ready", { ...seen, updatedReplicas: 2, availableReplicas: 1 }, 2, waits("1 of 2 pods are ready")],
    ["with old pods", { ...seen, updatedReplicas: 1, availableReplicas: 2, replicas: 2 }, 1, waits("1 old pods end")],
    ["rolled out", { ...seen, updatedReplicas: 2, availableReplicas: 2, replicas: 2 }, 2, { state: "ready" }],
    ["of no pods", seen, 0, { state: "ready" }],
    ["of as many pods as the default", seen, undefined, waits("0 of 1 pods are new")],
  ])("%s", (_, status, replicas, readiness) => {
    expect(deployment(status, replicas)).toEqual(readiness);
  });

  it("that passed its deadline fails with the controller's words", () => {
    const stuck = { type: "Progressing", reason: "ProgressDeadlineExceeded", message: "timed out" };
    expect(deployment({ ...seen, conditions: [stuck] })).toEqual({ state: "failed", reason: "timed out" });
  });
});

describe("other kinds", () => {
  const condition = (type: string, status: string, message = "") => ({ conditions: [{ type, status, message }] });
  const crd = (status: object) => object("apiextensions.k8s.io/v1", "CustomResourceDefinition", status);
  const claim = (phase: string) => object("v1", "PersistentVolumeClaim", { phase });
  const daemons = (available: number) =>
    object("apps/v1", "DaemonSet", {
      ...{ observedGeneration: 2, desiredNumberScheduled: 2, updatedNumberScheduled: 2 },
      ...{ numberAvailable: available },
    });

  it.each([
    ["a definition that is served", crd(condition("Established", "True")), "ready"],
    ["a definition that is not", crd({}), "waiting"],
    ["a definition whose names are taken", crd(condition("NamesAccepted", "False", "taken")), "failed"],
    ["a bound claim", claim("Bound"), "ready"],
    ["a pending claim", claim("Pending"), "waiting"],
    ["a lost claim", claim("Lost"), "failed"],
    ["daemons everywhere", daemons(2), "ready"],
    ["daemons on one node of two", daemons(1), "waiting"],
    ["a completed Job", object("batch/v1", "Job", condition("Complete", "True")), "ready"],
    ["a running Job", object("batch/v1", "Job", {}), "waiting"],
    ["a failed Job", object("batch/v1", "Job", condition("Failed", "True", "back-off")), "failed"],
    ["a namespace", object("v1", "Namespace", { phase: "Active" }), "ready"],
    ["an available volume", object("v1", "PersistentVolume", { phase: "Available" }), "ready"],
    ["a kind that nobody waits for", object("v1", "ConfigMap", {}), "ready"],
    ["a custom resource", object("example.com/v1", "Deployment", {}), "ready"],
  ])("%s", (_, live, state) => {
    expect(readinessOf(live, EAGER).state).toBe(state);
  });

  it("a claim that waits for its first pod is ready while it is pending", () => {
    expect(readinessOf(claim("Pending"), { bindsLate: true }).state).toBe("ready");
  });
});
