import { describe, expect, it } from "vitest";
import {
  objectOfType,
  typeOf,
  typeProblem,
} from "../../../../../toolchain/plugins/kubernetes-provider/resource-type.ts";
import { isBuiltIn } from "../../../../../toolchain/plugins/kubernetes-provider/kube-object.ts";

it("the type of a resource is the last of its URN", () => {
  const urn = "urn:pulumi:test-x::kiln::kiln:runner:RunnerScaleSet$kubernetes:core/v1:Secret::name";
  expect(typeOf(urn)).toBe("kubernetes:core/v1:Secret");
});

describe("typeProblem", () => {
  it.each(["kubernetes:helm.sh/v3:Release", "kubernetes:core/v1:NamespacePatch", "kubernetes:kustomize:Directory"])(
    "refuses %s, which is no object",
    (type) => {
      expect(typeProblem(type)).toContain(type);
    },
  );

  it.each(["kubernetes:core/v1:Namespace", "kubernetes:actions.github.com/v1alpha1:AutoscalingRunnerSet"])(
    "accepts %s",
    (type) => {
      expect(typeProblem(type)).toBeUndefined();
    },
  );
});

it.each([
  ["kubernetes:core/v1:Secret", "n/x", { apiVersion: "v1", kind: "Secret", metadata: { namespace: "n", name: "x" } }],
  ["kubernetes:apps/v1:Deployment", "x", { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "x" } }],
])("%s %s is imported as that object", (type, id, object) => {
  expect(objectOfType(type, id)).toEqual(object);
});

it.each([
  ["v1", true],
  ["apps/v1", true],
  ["networking.k8s.io/v1", true],
  ["actions.github.com/v1alpha1", false],
])("objects of %s come with every cluster: %s", (apiVersion, is) => {
  expect(isBuiltIn({ apiVersion })).toBe(is);
});
