import { describe, expect, it } from "vitest";
import { detailedDiff, propertyPath } from "../../../../../toolchain/plugins/kubernetes-provider/object-diff.ts";
import type { KubeObject } from "../../../../../toolchain/plugins/kubernetes-provider/kube-object.ts";

const SEALED = { configMaps: false, secrets: false };
const MUTABLE = { configMaps: true, secrets: true };

const object = (apiVersion: string, kind: string, rest: object = {}, metadata: object = {}): KubeObject => ({
  ...{ apiVersion, kind, metadata: { name: "x", namespace: "n", ...metadata } },
  ...rest,
});

const deployment = (spec: object) => object("apps/v1", "Deployment", { spec });

describe("what changes", () => {
  it("is named field by field, as deep as it is", () => {
    const before = deployment({ replicas: 1, template: { spec: { containers: [{ image: "a" }, { image: "b" }] } } });
    const after = deployment({ paused: true, template: { spec: { containers: [{ image: "c" }] } } });
    expect(detailedDiff(before, after, SEALED)).toEqual({
      changes: {
        "spec.replicas": "delete",
        "spec.template.spec.containers[0].image": "update",
        "spec.template.spec.containers[1]": "delete",
        "spec.paused": "add",
      },
      deleteBeforeReplace: false,
    });
  });

  it("is nothing where an absent field becomes null", () => {
    expect(detailedDiff(deployment({}), deployment({ replicas: null }), SEALED).changes).toEqual({});
  });

  it.each([
    ["name", object("v1", "Service"), object("v1", "Service", {}, { name: "y" }), "metadata.name", false],
    [
      "namespace",
      object("v1", "Service"),
      object("v1", "Service", {}, { namespace: "m" }),
      "metadata.namespace",
      false,
    ],
    ["selector", deployment({ selector: { a: 1 } }), deployment({ selector: { a: 2 } }), "spec.selector.a", true],
    [
      "volume class",
      object("v1", "PersistentVolumeClaim", { spec: { storageClassName: "a" } }),
      object("v1", "PersistentVolumeClaim", { spec: { storageClassName: "b" } }),
      "spec.storageClassName",
      true,
    ],
    [
      "role",
      object("rbac.authorization.k8s.io/v1", "RoleBinding", { roleRef: { name: "a" } }),
      object("rbac.authorization.k8s.io/v1", "RoleBinding", { roleRef: { name: "b" } }),
      "roleRef.name",
      true,
    ],
  ])("makes a new object where it is the %s", (_, before, after, path, first) => {
    const { changes, deleteBeforeReplace } = detailedDiff(before, after, SEALED);
    expect(changes).toEqual({ [path]: "update-replace" });
    expect(deleteBeforeReplace).toBe(first);
  });

  it("of a claim's size stays in place", () => {
    const claim = (storage: string) => object("v1", "PersistentVolumeClaim", { spec: { resources: { storage } } });
    expect(detailedDiff(claim("1Gi"), claim("2Gi"), SEALED).changes).toEqual({ "spec.resources.storage": "update" });
  });

  it.each(["ConfigMap", "Secret"])("in the data of a %s makes a new one, unless the provider may change it", (kind) => {
    const [before, after] = ["a", "b"].map((value) => object("v1", kind, { data: { value } })) as [
      KubeObject,
      KubeObject,
    ];
    expect(detailedDiff(before, after, SEALED).changes).toEqual({ "data.value": "update-replace" });
    expect(detailedDiff(before, after, MUTABLE).changes).toEqual({ "data.value": "update" });
    const sealed = { ...after, immutable: true };
    expect(detailedDiff({ ...before, immutable: true }, sealed, MUTABLE).changes).toEqual({
      "data.value": "update-replace",
    });
  });

  it("needs no deletion first where the plugin chose the name", () => {
    const named = { annotations: { "pulumi.com/autonamed": "true" } };
    const [before, after] = [1, 2].map((a) =>
      object("apps/v1", "Deployment", { spec: { selector: { a } } }, named),
    ) as [KubeObject, KubeObject];
    expect(detailedDiff(before, after, SEALED).deleteBeforeReplace).toBe(false);
  });

  it("in a field whose name only begins like a sealed one stays in place", () => {
    const [before, after] = [1, 2].map((a) => deployment({ selectorHint: a })) as [KubeObject, KubeObject];
    expect(detailedDiff(before, after, SEALED).changes).toEqual({ "spec.selectorHint": "update" });
  });
});

describe("propertyPath", () => {
  it.each([
    [["spec", "containers", 0, "image"], "spec.containers[0].image"],
    [["metadata", "labels", "app.kubernetes.io/name"], 'metadata.labels["app.kubernetes.io/name"]'],
    [["data", 'a"b'], 'data["a\\"b"]'],
  ])("%j is %s", (path, text) => {
    expect(propertyPath(path)).toBe(text);
  });
});
