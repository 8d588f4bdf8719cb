import { describe, expect, it } from "vitest";
import {
  idOf,
  isClusterKind,
  named,
  namesOfId,
  objectProblem,
} from "../../../../../toolchain/plugins/kubernetes-provider/kube-object.ts";
import type { KubeObject } from "../../../../../toolchain/plugins/kubernetes-provider/kube-object.ts";

const RULES = { resource: "res", suffix: "0a1b2c3d", before: undefined };
const map = (metadata?: object) => ({ apiVersion: "v1", kind: "ConfigMap", ...(metadata && { metadata }) });

describe("named", () => {
  it("keeps what is given", () => {
    const given = map({ name: "x", namespace: "n" });
    expect(named(given, { ...RULES, namespace: "other" })).toEqual(given);
  });

  it("gives a namespace only to kinds that have one", () => {
    expect(named(map({ name: "x" }), { ...RULES, namespace: "n" }).metadata).toEqual({ name: "x", namespace: "n" });
    expect(named(map({ name: "x" }), RULES).metadata).toEqual({ name: "x" });
  });

  it("makes a name up, marks it, and keeps it", () => {
    const first = named(map(), RULES);
    expect(first.metadata).toEqual({ name: "res-0a1b2c3d", annotations: { "pulumi.com/autonamed": "true" } });
    expect(named(map(), { ...RULES, suffix: "ffffffff", before: first })).toEqual(first);
  });

  it("does not keep a name that the program gave before", () => {
    const before = map({ name: "given" }) as KubeObject;
    expect(named(map(), { ...RULES, before }).metadata.name).toBe("res-0a1b2c3d");
  });
});

describe("ids", () => {
  it.each([
    ["n/x", { namespace: "n", name: "x" }],
    ["x", { name: "x" }],
  ])("%s", (id, names) => {
    expect(namesOfId(id)).toEqual(names);
    expect(idOf(map(names) as KubeObject)).toBe(id);
  });
});

describe("objectProblem", () => {
  it.each([
    [{ kind: "ConfigMap" }, "apiVersion and kind must be given"],
    [{ apiVersion: "v1" }, "apiVersion and kind must be given"],
    [{ apiVersion: "v1", kind: "ConfigMap", metadata: [] }, "metadata must be an object"],
    [map(), undefined],
    [map({}), undefined],
  ])("of %j is %j", (inputs, problem) => {
    expect(objectProblem(inputs)).toBe(problem);
  });
});

it.each([
  ["Namespace", true],
  ["ClusterRole", true],
  ["CustomResourceDefinition", true],
  ["Role", false],
  ["AutoscalingRunnerSet", false],
])("%s stands outside namespaces: %s", (kind, is) => {
  expect(isClusterKind(kind)).toBe(is);
});
