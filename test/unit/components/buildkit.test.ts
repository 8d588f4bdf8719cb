import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import type { BuildKitArgs } from "../../../components/buildkit.ts";
import { recordResources, valueOf } from "../../support/mocks.ts";

const ARGS: BuildKitArgs = {
  namespace: "runners-acme-buildkit",
  clients: ["runners-acme-trusted-dind", "runners-acme-trusted"],
  size: "100Gi",
  network: { ssh: false, clusterNetworks: [], apiServer: [], services: {} },
};

async function buildKit(args: Partial<BuildKitArgs> = {}) {
  const resources = await recordResources();
  const { BuildKit } = await import("../../../components/buildkit.ts");
  const component = new BuildKit("acme-buildkit", { ...ARGS, ...args });
  const address = await valueOf(component.address);
  await pulumi.runtime.disconnect();
  const inputsOf = (kind: string, name: string) =>
    resources.find((resource) => resource.name === name && resource.type.endsWith(`:${kind}`))?.inputs;
  return { address, resources, inputsOf };
}

describe("a buildkitd", () => {
  it("is a StatefulSet with a volume, behind walls, in a namespace of its own", async () => {
    const { resources } = await buildKit();
    expect(resources.map(({ type, name }) => `${type} ${name}`).sort()).toEqual([
      "kiln:runner:BuildKit acme-buildkit",
      "kubernetes:apps/v1:StatefulSet acme-buildkit",
      "kubernetes:core/v1:ConfigMap acme-buildkit-config",
      "kubernetes:core/v1:Namespace acme-buildkit",
      "kubernetes:core/v1:PersistentVolumeClaim acme-buildkit-state",
      "kubernetes:core/v1:Service acme-buildkit",
      "kubernetes:networking.k8s.io/v1:NetworkPolicy acme-buildkit-allow-clients",
      "kubernetes:networking.k8s.io/v1:NetworkPolicy acme-buildkit-allow-dns",
      "kubernetes:networking.k8s.io/v1:NetworkPolicy acme-buildkit-allow-internet",
      "kubernetes:networking.k8s.io/v1:NetworkPolicy acme-buildkit-default-deny",
    ]);
  });

  it("has the address that runners are given", async () => {
    const { address } = await buildKit();
    expect(address).toBe("tcp://buildkitd.runners-acme-buildkit.svc:1234");
  });

  it("lets in the pods of its clients' namespaces alone", async () => {
    const { inputsOf } = await buildKit();
    expect(inputsOf("NetworkPolicy", "acme-buildkit-allow-clients")?.spec).toEqual({
      podSelector: {},
      policyTypes: ["Ingress"],
      ingress: [
        {
          from: ["runners-acme-trusted", "runners-acme-trusted-dind"].map((namespace) => ({
            namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
          })),
          ports: [{ protocol: "TCP", port: 1234 }],
        },
      ],
    });
  });

  it("lets nobody in without clients", async () => {
    const { resources } = await buildKit({ clients: [] });
    expect(resources.filter(({ inputs }) => JSON.stringify(inputs).includes('"ingress"'))).toEqual([]);
  });

  it("finds its configuration, its volume and its pods by the same names", async () => {
    const { inputsOf } = await buildKit();
    const daemon = inputsOf("StatefulSet", "acme-buildkit")?.spec as Record<string, Record<string, unknown>>;
    const service = inputsOf("Service", "acme-buildkit")?.spec as Record<string, unknown>;
    // Headless: Pulumi waits for the pods of any other, and the pod waits for its Service.
    expect(service.clusterIP).toBe("None");
    expect(daemon.selector?.matchLabels).toEqual(service.selector);
    expect(daemon.template?.metadata).toMatchObject({ labels: service.selector });
    expect(daemon.template?.spec).toMatchObject({
      volumes: [
        { name: "state", persistentVolumeClaim: { claimName: "buildkitd" } },
        { name: "config", configMap: { name: "buildkitd" } },
      ],
    });
    for (const [kind, name] of [
      ["ConfigMap", "acme-buildkit-config"],
      ["PersistentVolumeClaim", "acme-buildkit-state"],
    ] as const) {
      expect(inputsOf(kind, name)?.metadata).toMatchObject({ name: "buildkitd", namespace: ARGS.namespace });
    }
  });

  it.each([
    [{ image: "docker.io/moby/buildkit:rootless" }, "acme-buildkit.image"],
    [{ size: "much" }, "acme-buildkit.size"],
    [{ namespace: "Build" }, "acme-buildkit.namespace"],
    [{ clients: [""] }, "acme-buildkit.clients"],
  ] satisfies [Partial<BuildKitArgs>, string][])("refuses %j before anything is made", async (args, at) => {
    const resources = await recordResources();
    const { BuildKit } = await import("../../../components/buildkit.ts");
    expect(() => new BuildKit("acme-buildkit", { ...ARGS, ...args })).toThrow(at);
    expect(resources).toEqual([]);
  });
});
