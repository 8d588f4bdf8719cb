import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { buildKitPod } from "../../runners/namespace/buildkit.ts";
import { podSecurityLabels, type PodSecurityLevel } from "../../runners/namespace/labels.ts";
import { networkPolicies } from "../../runners/namespace/network-policy.ts";
import { limitRangeSpec, quotaSpec } from "../../runners/namespace/quota.ts";
import { startControlPlane, type ControlPlane } from "../support/control-plane.ts";

let plane: ControlPlane;

beforeAll(async () => {
  plane = await startControlPlane();
});

afterAll(async () => {
  await plane.stop();
});

async function make(path: string, object: Readonly<Record<string, unknown>>): Promise<void> {
  const { status, body } = await plane.request("POST", path, object);
  expect(status, JSON.stringify(body)).toBe(201);
}

async function makeNamespace(name: string, labels: Readonly<Record<string, string>> = {}): Promise<void> {
  await make("/api/v1/namespaces", { metadata: { name, labels } });
}

describe("a namespace's walls", () => {
  const dry = (path: string) => `${path}?dryRun=All`;

  it("are what the API server takes", async () => {
    await makeNamespace("runners-walls");
    const access = {
      ssh: true,
      clusterNetworks: ["240.0.0.0/4"],
      apiServer: ["10.97.0.1/32", "fd00:97::/112"],
      services: { goproxy: { namespace: "athens", podLabels: { app: "athens" }, port: 3000 } },
      networks: { ghes: { blocks: ["10.0.0.0/8", "100.64.0.0/10"], ports: [443] } },
      proxies: ["http://10.1.2.3:3128", "http://squid.egress.svc:3128", "https://proxy.example"],
      metrics: { namespace: "monitoring", port: 8080 },
    };
    const policies = networkPolicies(access, "network");
    expect(policies).toHaveLength(8);
    for (const { name, spec } of policies) {
      await make(dry("/apis/networking.k8s.io/v1/namespaces/runners-walls/networkpolicies"), {
        metadata: { name },
        spec,
      });
    }
    const hard = { "requests.cpu": "40", "limits.memory": "80Gi", pods: "20", "count/configmaps": "50" };
    const metadata = { name: "runners" };
    const place = "/api/v1/namespaces/runners-walls";
    await make(dry(`${place}/resourcequotas`), { metadata, spec: quotaSpec(hard, "quota") });
    await make(dry(`${place}/limitranges`), {
      metadata,
      spec: limitRangeSpec({ max: { memory: "64Gi" } }, hard, "limits"),
    });
  });

  it.each([
    ["restricted", false],
    ["baseline", false],
    ["privileged", true],
  ] satisfies [PodSecurityLevel, boolean][])("of level %s let a rootless buildkitd in: %s", async (level, allowed) => {
    const namespace = `buildkit-${level}`;
    await makeNamespace(namespace, podSecurityLabels(level));
    await vi.waitFor(async () => {
      const account = await plane.request("GET", `/api/v1/namespaces/${namespace}/serviceaccounts/default`);
      expect(account.status).toBe(200);
    });
    const pod = { metadata: { name: "buildkitd" }, spec: buildKitPod({ size: "1Gi" }).spec };
    const { status, body } = await plane.request("POST", dry(`/api/v1/namespaces/${namespace}/pods`), pod);
    expect(status).toBe(allowed ? 201 : 403);
    if (!allowed) expect(body.message).toMatch(/violates PodSecurity.*seccomp/i);
  });
});
