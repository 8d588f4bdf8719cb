import { describe, expect, it, vi } from "vitest";
import type { ClusterProviderArgs } from "../../../components/cluster-provider.ts";
import { recordResources, settled } from "../../support/mocks.ts";

/** What the engine is given for a provider, on a machine whose KUBECONFIG names a file. */
async function inputsOf(args: Partial<ClusterProviderArgs> = {}) {
  vi.stubEnv("KUBECONFIG", "/home/somebody/.kube/config");
  const resources = await recordResources();
  const { clusterProvider } = await import("../../../components/cluster-provider.ts");
  clusterProvider("cluster", { context: "prod", ...args });
  await settled();
  expect(resources.map(({ type, name }) => `${type} ${name}`)).toEqual(["pulumi:providers:kubernetes cluster"]);
  return resources[0]?.inputs;
}

/** As text, in which Pulumi gives a provider its flags. */
const MUTABLE = { enableSecretMutable: "true", enableConfigMapMutable: "true" };

describe("the provider for a cluster", () => {
  it("has its context, changes Secrets in place, and takes nothing over", async () => {
    expect(await inputsOf()).toEqual({ ...MUTABLE, context: "prod" });
  });

  it("leaves the current context to its plugin", async () => {
    expect(await inputsOf({ context: undefined })).toEqual(MUTABLE);
  });

  it("takes objects over where it is told to", async () => {
    expect(await inputsOf({ adopts: true })).toEqual({ ...MUTABLE, context: "prod", upsertExistingObjects: "true" });
  });

  // The SDK reads the variable by itself: a check of the premise, so that the tests above can fail.
  it("would have a path of this machine in its inputs, were it made by the SDK alone", async () => {
    vi.stubEnv("KUBECONFIG", "/home/somebody/.kube/config");
    const resources = await recordResources();
    const k8s = await import("@pulumi/kubernetes");
    new k8s.Provider("cluster", {});
    await settled();
    expect(resources[0]?.inputs).toMatchObject({ kubeconfig: "/home/somebody/.kube/config" });
  });
});
