import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import type { RunnerControllerArgs } from "../../../components/runner-controller.ts";
import { CRD_KINDS } from "../../../runners/controller/crd-pins.ts";
import type { CustomResourceDefinition } from "../../../runners/controller/crds.ts";
import { recordResources, valueOf } from "../../support/mocks.ts";

const CRDS = Object.entries(CRD_KINDS).map(([plural, kind]): CustomResourceDefinition => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: `${plural}.actions.github.com`, annotations: { by: "controller-gen" } },
  spec: {
    group: "actions.github.com",
    scope: "Namespaced",
    names: { plural, kind },
    versions: [{ name: "v1alpha1", served: true, storage: true }],
  },
}));

/** A controller, what was registered for it, and the options by `type name`. */
async function controller(args: Partial<RunnerControllerArgs> = {}, opts: pulumi.ComponentResourceOptions = {}) {
  const resources = await recordResources();
  const options = new Map<string, pulumi.CustomResourceOptions>();
  const { RunnerController } = await import("../../../components/runner-controller.ts");
  const made = new RunnerController(
    "arc",
    { namespace: "arc-systems", crds: CRDS, ...args },
    {
      ...opts,
      transformations: [
        (resource) => {
          options.set(`${resource.type} ${resource.name}`, resource.opts);
          return undefined;
        },
      ],
    },
  );
  await valueOf(made.namespace);
  return { made, resources, options, names: resources.map(({ type, name }) => `${type} ${name}`) };
}

const CRD = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition";
const RBAC = "kubernetes:rbac.authorization.k8s.io/v1";

describe("a controller", () => {
  it("is its CRDs, namespace, account, rights and Deployment", async () => {
    const { names } = await controller();
    expect([...names].sort()).toEqual([
      "kiln:runner:RunnerController arc",
      `${CRD} arc-autoscalinglisteners`,
      `${CRD} arc-autoscalingrunnersets`,
      `${CRD} arc-ephemeralrunners`,
      `${CRD} arc-ephemeralrunnersets`,
      "kubernetes:apps/v1:Deployment arc",
      "kubernetes:core/v1:Namespace arc",
      "kubernetes:core/v1:ServiceAccount arc",
      `${RBAC}:ClusterRole arc-manager`,
      `${RBAC}:ClusterRoleBinding arc-manager`,
      `${RBAC}:Role arc-listener`,
      `${RBAC}:RoleBinding arc-listener`,
    ]);
  });

  it("has the rights of one namespace, and of a leader, where it is told so", async () => {
    const { names } = await controller({ replicas: 2, watchSingleNamespace: "runners", createNamespace: false });
    expect(names.filter((name) => /rbac|Namespace/.test(name)).sort()).toEqual([
      `${RBAC}:Role arc-leader-election`,
      `${RBAC}:Role arc-listener`,
      `${RBAC}:Role arc-single-namespace`,
      `${RBAC}:Role arc-single-namespace-watch`,
      `${RBAC}:RoleBinding arc-leader-election`,
      `${RBAC}:RoleBinding arc-listener`,
      `${RBAC}:RoleBinding arc-single-namespace`,
      `${RBAC}:RoleBinding arc-single-namespace-watch`,
    ]);
  });

  it("takes over the CRDs that are there, and asks Kubernetes to hold pods to a standard", async () => {
    const { resources } = await controller({ podSecurity: "restricted" });
    for (const { inputs } of resources.filter(({ type }) => type === CRD)) {
      expect(inputs.metadata).toMatchObject({ annotations: { by: "controller-gen", "pulumi.com/patchForce": "true" } });
    }
    const namespace = resources.find(({ type }) => type === "kubernetes:core/v1:Namespace");
    expect(namespace?.inputs.metadata).toMatchObject({
      name: "arc-systems",
      labels: { "pod-security.kubernetes.io/enforce": "restricted" },
    });
  });

  it("says what scale sets need to know, before anything is made", async () => {
    const { made } = await controller({ namespace: "arc", serviceAccountName: "other", version: "0.14.1" });
    expect(made.reference).toEqual({ namespace: "arc", serviceAccount: "other", version: "0.14.1" });
    expect(await valueOf(made.serviceAccountName)).toBe("other");
  });

  it("has no CRDs among its own inputs: they would stand in the state twice", async () => {
    const { resources } = await controller();
    const own = resources.find(({ type }) => type === "kiln:runner:RunnerController");
    expect(own?.inputs).toEqual({ namespace: "arc-systems" });
  });
});

describe("order and lifetime", () => {
  it("starts the controller last, and so stops it first: with its kinds and rights still there", async () => {
    const { options, names } = await controller();
    const before = await dependencies(options.get("kubernetes:apps/v1:Deployment arc"));
    const others = names.filter((name) => !/RunnerController|Deployment/.test(name));
    expect([...before].sort()).toEqual([...others].sort());
  });

  it("waits for what the component is said to depend on, such as the watched namespace", async () => {
    class Before extends pulumi.ComponentResource {}
    const resources = await recordResources();
    expect(resources).toEqual([]);
    const { RunnerController } = await import("../../../components/runner-controller.ts");
    const before = new Before("kiln:runner:RunnerNamespace", "runners");
    const seen: pulumi.CustomResourceOptions[] = [];
    const transformations = [
      ({ opts }: pulumi.ResourceTransformationArgs) => {
        seen.push(opts);
        return undefined;
      },
    ];
    const args = { namespace: "arc-systems", crds: CRDS };
    const made = new RunnerController("arc", args, { dependsOn: before, transformations });
    await valueOf(made.namespace);
    for (const opts of seen) expect(JSON.stringify(await dependencies(opts))).toContain("RunnerNamespace runners");
  });

  it("goes last where it comes again, since sets are signed off by it, and waits for finalizers", async () => {
    const { options } = await controller({ deleteTimeoutMinutes: 25 });
    const children = [...options].filter(([name]) => !name.startsWith("kiln:"));
    expect(children.length).toBeGreaterThan(0);
    for (const [, opts] of children) {
      expect(opts).toMatchObject({ customTimeouts: { delete: "25m" } });
      expect(opts).not.toHaveProperty("deleteBeforeReplace");
    }
  });

  it.each([
    [true, true],
    [undefined, false],
  ])("leaves the CRDs behind: asked %s, done %s", async (retainCrds, retained) => {
    const { options } = await controller(retainCrds === undefined ? {} : { retainCrds });
    for (const [name, opts] of options) {
      if (!name.startsWith("kiln:")) expect(opts.retainOnDelete ?? false).toBe(name.startsWith(CRD) && retained);
    }
  });

  it("leaves protection to be inherited: every child is its own, and none says otherwise", async () => {
    const { made, options } = await controller({}, { protect: true });
    for (const [name, opts] of options) {
      if (!name.startsWith("kiln:"))
        expect({ own: opts.parent === made, protect: opts.protect }).toEqual({ own: true });
    }
    expect(options.get("kiln:runner:RunnerController arc")?.protect).toBe(true);
  });
});

it.each<[string, Partial<RunnerControllerArgs>]>([
  ["stack: kiln:controller.version", { version: "0.15.0", at: "stack: kiln:controller" }],
  ["arc.replicas", { replicas: 0 }],
])("is refused at %s before anything is made", async (at, args) => {
  const resources = await recordResources();
  const { RunnerController } = await import("../../../components/runner-controller.ts");
  expect(() => new RunnerController("arc", { namespace: "arc-systems", crds: CRDS, ...args })).toThrow(at);
  await pulumi.runtime.disconnect();
  expect(resources.filter(({ type }) => type.startsWith("kubernetes:"))).toEqual([]);
});

/** What a resource waits for, as `type name`. */
async function dependencies(opts: pulumi.ResourceOptions | undefined): Promise<readonly string[]> {
  const given = await valueOf(pulumi.output(opts?.dependsOn as pulumi.Resource | pulumi.Resource[] | undefined));
  const resources = given === undefined ? [] : Array.isArray(given) ? given : [given];
  const urns = await Promise.all(resources.map(({ urn }) => valueOf(urn)));
  return urns.map((urn) => {
    const [, , types = "", name = ""] = urn.split("::");
    return `${types.split("$").at(-1) ?? ""} ${name}`;
  });
}
