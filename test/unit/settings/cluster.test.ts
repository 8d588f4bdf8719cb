import { describe, expect, it } from "vitest";
import { actionsRunnerOf } from "../../../settings/actions-runner.ts";
import { clusterOf, controllerOf, namespaceOf } from "../../../settings/cluster.ts";

const at = (value: unknown) => ({ file: "f", key: "kiln:k", value });

describe("the cluster of a stack", () => {
  it("says all that it says", () => {
    const all = {
      ...{ context: "prod", checks: "required", monitoring: "prometheus-operator" },
      monitorLabels: { release: "kube-prometheus-stack" },
    };
    expect(clusterOf(at(all))).toEqual(all);
  });

  it.each([
    [{ checks: "always" }, 'checks is "always", which is none of its values'],
    [{ monitoring: true }, "monitoring must be text, but is the boolean true"],
    [{ monitorLabels: { release: "" } }, "monitorLabels.release is not set"],
    [{ kubeconfig: "x" }, "kubeconfig is not a setting"],
  ])("is refused as %j", (value, message) => {
    expect(() => clusterOf(at(value))).toThrow(`f: kiln:k.${message}`);
  });
});

describe("the controller of a stack", () => {
  const ELSEWHERE = { manage: false, namespace: "arc", serviceAccount: "arc", version: "0.14.0" };

  it("may be another stack's, which is named in full", () => {
    expect(controllerOf(at(ELSEWHERE))).toMatchObject(ELSEWHERE);
  });

  it.each(["namespace", "serviceAccount", "version"])("of another stack has its %s named", (key) => {
    expect(() => controllerOf(at({ ...ELSEWHERE, [key]: undefined }))).toThrow(`f: kiln:k.${key} is not set`);
  });

  it.each([
    [undefined, { kind: "official" }],
    ["official", { kind: "official" }],
    ["vendor/crds", { kind: "path", path: "vendor/crds" }],
  ])("has its CRDs from %s", (crds, source) => {
    expect(controllerOf(at({ crds })).crds).toEqual(source);
  });

  it("says all that it says", () => {
    const all = {
      ...{ manage: true, namespace: "arc", serviceAccount: "runners", version: "0.14.1", replicas: 2 },
      ...{ watchNamespace: "ci", retainCrds: true, protect: true },
    };
    expect(controllerOf(at({ ...all, crds: "crds" }))).toEqual({ ...all, crds: { kind: "path", path: "crds" } });
  });

  it.each([
    [{ replicas: 0 }, "replicas must be a whole number of at least 1"],
    [{ watchNamespace: "*" }, 'watchNamespace is "*", which is no name for Kubernetes'],
    [{ namespace: "" }, 'namespace is "", which is no name for Kubernetes'],
    [{ serviceAccount: "Arc" }, 'serviceAccount is "Arc", which is no name for Kubernetes'],
    [{ version: "latest" }, 'version is "latest", which is no version'],
    [{ version: "0.15.0" }, 'version is "0.15.0", but scale sets are made for 0.14'],
    [{ crds: "https://example.com/crds" }, 'crds is "https://example.com/crds", which is neither'],
    [{ crds: "" }, 'crds is "", which is neither'],
    [{ manage: "never" }, "manage must be true or false"],
  ])("is refused as %j", (value, message) => {
    expect(() => controllerOf(at(value))).toThrow(`f: kiln:k.${message}`);
  });
});

it("a namespace is what is written, or else what is said to be", () => {
  expect(namespaceOf(at("ci"), "other")).toBe("ci");
  expect(namespaceOf(at(undefined), "other")).toBe("other");
  expect(() => namespaceOf(at("a".repeat(64)), "other")).toThrow("of 64 characters, but at most 63 fit");
});

describe("what runner pods run", () => {
  const DIGEST = `sha256:${"a".repeat(64)}`;
  const RELEASE = { version: "2.337.0", released: "2026-09-15" };

  it("is built by the stack, from a release of which nothing is known, where nothing is said", () => {
    expect(actionsRunnerOf(at({}), "linux/amd64")).toEqual({ image: undefined, base: undefined, release: undefined });
  });

  it("is what the stack says", () => {
    const image = `localhost:5180/actions-runner@${DIGEST}`;
    const read = actionsRunnerOf(at({ image, base: "runner:1", ...RELEASE }), "linux/amd64");
    expect(read).toEqual({ image, base: "runner:1", release: RELEASE });
  });

  it.each([
    [{ image: "actions-runner" }, 'image is "actions-runner", but runners run an image by digest'],
    [{ image: `runner@sha256:abc` }, 'image is "runner@sha256:abc"'],
    [{ released: "2026-09-15" }, "version is not set"],
    [{ ...RELEASE, version: "v2.337.0" }, 'version is "v2.337.0", which is no version'],
    [{ ...RELEASE, version: 2.337 }, "version must be text, but is the number 2.337"],
    [{ ...RELEASE, released: "15.9.2026" }, 'released is "15.9.2026", which is no day'],
    [{ ...RELEASE, released: "2026-02-29" }, 'released is "2026-02-29", which is no day'],
  ])("is refused as %j", (value, message) => {
    expect(() => actionsRunnerOf(at(value), "linux/amd64")).toThrow(`f: kiln:k.${message}`);
  });
});
