import { Provider } from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { beforeEach, describe, expect, it } from "vitest";
import type { RunnerNamespaceArgs } from "../../../components/runner-namespace.ts";
import { recordResources, valueOf } from "../../support/mocks.ts";
import { recordRegistrations } from "../../support/registrations.ts";

const APP = { kind: "app", appId: "1234", installationId: "5678", privateKeyConfig: "kiln:appKey" } as const;
const NETWORK = { ssh: false, clusterNetworks: [], apiServer: [], services: {} };
const KEY = "-----BEGIN RSA PRIVATE KEY-----\nc2VjcmV0\n-----END RSA PRIVATE KEY-----\n";
const SECRET = "kubernetes:core/v1:Secret";

async function runnerNamespace(args: Partial<RunnerNamespaceArgs> = {}, adopting?: () => pulumi.ProviderResource) {
  const resources = await recordResources();
  const registrations = recordRegistrations();
  const { RunnerNamespace } = await import("../../../components/runner-namespace.ts");
  const component = new RunnerNamespace("acme-trusted", {
    namespace: "runners-acme-trusted",
    podSecurity: "restricted",
    credentials: APP,
    network: NETWORK,
    ...args,
    ...(adopting && { adoptWith: adopting() }),
  });
  const outputs = {
    namespace: await valueOf(component.namespace),
    secretName: await valueOf(component.secretName),
    credentialsVersion: await valueOf(component.credentialsVersion),
  };
  // What is still being registered belongs to these mocks: a test may make more than one namespace.
  await pulumi.runtime.disconnect();
  const inputsOf = (kind: string, name: string) =>
    resources.find((resource) => resource.name === name && resource.type.endsWith(`:${kind}`))?.inputs;
  return { component, outputs, resources, registrations, inputsOf };
}

beforeEach(() => {
  pulumi.runtime.setAllConfig({ "kiln:appKey": KEY, "kiln:token": "ghp_classic\n" }, ["kiln:appKey", "kiln:token"]);
});

describe("a namespace of runners", () => {
  it("has policies, defaults and a secret, and nothing that Kubernetes makes: no default account", async () => {
    const { resources } = await runnerNamespace();
    expect(resources.map(({ type, name }) => `${type} ${name}`).sort()).toEqual([
      "kiln:runner:RunnerNamespace acme-trusted",
      "kubernetes:core/v1:LimitRange acme-trusted-limits",
      "kubernetes:core/v1:Namespace acme-trusted",
      "kubernetes:core/v1:Secret acme-trusted-github",
      "kubernetes:networking.k8s.io/v1:NetworkPolicy acme-trusted-allow-dns",
      "kubernetes:networking.k8s.io/v1:NetworkPolicy acme-trusted-allow-internet",
      "kubernetes:networking.k8s.io/v1:NetworkPolicy acme-trusted-default-deny",
    ]);
  });

  it("adds a policy for each service and a quota where they are asked for", async () => {
    const { resources } = await runnerNamespace({
      network: { ...NETWORK, services: { goproxy: { namespace: "athens", podLabels: {}, port: 3000 } } },
      quota: { pods: "20" },
    });
    const plain = (await runnerNamespace()).resources.map(({ name }) => name);
    expect(
      resources
        .map(({ name }) => name)
        .filter((name) => !plain.includes(name))
        .sort(),
    ).toEqual(["acme-trusted-allow-service-goproxy", "acme-trusted-quota"]);
  });

  it("says in its labels what its pods may ask of their node", async () => {
    const { inputsOf, outputs } = await runnerNamespace({ podSecurity: "baseline" });
    expect(inputsOf("Namespace", "acme-trusted")?.metadata).toEqual({
      name: "runners-acme-trusted",
      labels: {
        "pod-security.kubernetes.io/enforce": "baseline",
        "pod-security.kubernetes.io/enforce-version": "latest",
        "pod-security.kubernetes.io/audit": "baseline",
        "pod-security.kubernetes.io/audit-version": "latest",
        "pod-security.kubernetes.io/warn": "baseline",
        "pod-security.kubernetes.io/warn-version": "latest",
      },
    });
    expect(outputs.namespace).toBe("runners-acme-trusted");
  });

  it("takes itself over again where it was left, and nothing else", async () => {
    const adopted = async (retain: boolean) => {
      const { registrations } = await runnerNamespace(
        { retain, quota: { pods: "20" } },
        () => new Provider("adopting"),
      );
      expect(registrations.filter(({ deleteBeforeReplace }) => deleteBeforeReplace)).toEqual([]);
      return registrations.filter(({ provider }) => provider === "adopting").map(({ type, name }) => `${type} ${name}`);
    };
    expect(await adopted(true)).toEqual(["kubernetes:core/v1:Namespace acme-trusted"]);
    expect(await adopted(false)).toEqual([]);
  });

  it("has all of its objects in itself", async () => {
    const { resources } = await runnerNamespace({ quota: { pods: "20" } });
    const spaces = resources.slice(2).map(({ inputs }) => (inputs.metadata as Record<string, unknown>).namespace);
    expect(new Set(spaces)).toEqual(new Set(["runners-acme-trusted"]));
  });
});

describe("its credentials", () => {
  it("of an App are the three keys that the controller reads, and secret", async () => {
    const { resources, outputs } = await runnerNamespace();
    const secret = resources.find(({ type }) => type === SECRET);
    expect(secret?.inputs).toMatchObject({
      metadata: { name: "github-credentials" },
      type: "Opaque",
      stringData: { github_app_id: "1234", github_app_installation_id: "5678", github_app_private_key: KEY },
    });
    expect(secret?.secrets).toEqual(["stringData"]);
    expect(outputs.secretName).toBe("github-credentials");
  });

  it("of a token are the token, without the line break of an editor", async () => {
    const { resources } = await runnerNamespace({ credentials: { kind: "token", tokenConfig: "kiln:token" } });
    const secret = resources.find(({ type }) => type === SECRET);
    expect(secret?.inputs.stringData).toEqual({ github_token: "ghp_classic" });
    expect(secret?.secrets).toEqual(["stringData"]);
  });

  it("reach no argument of the component", async () => {
    const { resources } = await runnerNamespace();
    const [component, ...children] = resources;
    expect(component).toMatchObject({ type: "kiln:runner:RunnerNamespace", inputs: {} });
    expect(Object.keys(component?.inputs ?? { none: true })).toEqual([]);
    const holders = children.filter((child) => JSON.stringify(child).includes("c2VjcmV0")).map(({ name }) => name);
    expect(holders).toEqual(["acme-trusted-github"]);
  });

  it("have a version that is plain, stable and theirs alone", async () => {
    const { outputs, component } = await runnerNamespace();
    expect(outputs.credentialsVersion).toMatch(/^[0-9a-f]{16}$/);
    expect(await pulumi.isSecret(component.credentialsVersion)).toBe(false);
    expect((await runnerNamespace()).outputs.credentialsVersion).toBe(outputs.credentialsVersion);
    pulumi.runtime.setAllConfig({ "kiln:appKey": KEY.replace("c2V", "d2V") }, ["kiln:appKey"]);
    expect((await runnerNamespace()).outputs.credentialsVersion).not.toBe(outputs.credentialsVersion);
  });

  it.each([
    [{ kind: "existing", secretName: "made-by-operator" } as const, "made-by-operator"],
    [{ kind: "vault", secretName: "github-app", vault: VAULT() } as const, "github-app"],
  ])("of kind $kind are named and not made", async (credentials, secretName) => {
    const { resources, outputs } = await runnerNamespace({ credentials });
    expect(resources.filter(({ type }) => type === SECRET)).toEqual([]);
    expect(outputs.secretName).toBe(secretName);
    expect(outputs.credentialsVersion).toMatch(/^[0-9a-f]{16}$/);
  });
});

describe("before anything is made", () => {
  it.each([
    [{ namespace: "Runners" }, "acme-trusted.namespace"],
    [{ credentials: { ...APP, appId: "platform" } }, "acme-trusted.credentials.app.id"],
    [{ network: { ...NETWORK, apiServer: ["169.254.169.254/32"] } }, "acme-trusted.network.apiServer"],
    [{ quota: { runners: "1" } }, "acme-trusted.quota.runners"],
    [{ limits: { max: { memory: "1Gi" } } }, "acme-trusted.limits.defaultLimits.memory"],
  ] satisfies [Partial<RunnerNamespaceArgs>, string][])("refuses %j", async (args, at) => {
    const resources = await recordResources();
    const { RunnerNamespace } = await import("../../../components/runner-namespace.ts");
    const base = { namespace: "a", podSecurity: "restricted", credentials: APP, network: NETWORK } as const;
    expect(() => new RunnerNamespace("acme-trusted", { ...base, ...args })).toThrow(at);
    expect(resources).toEqual([]);
  });
});

function VAULT() {
  return { url: "https://acme.vault.azure.net", tenantId: "t", clientId: "c", certificatePath: "/certs/vault.pfx" };
}
