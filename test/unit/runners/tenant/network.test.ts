import { describe, expect, it } from "vitest";
import { networkPolicies } from "../../../../runners/namespace/network-policy.ts";
import { networkAccess } from "../../../../runners/tenant/network.ts";
import { plansOf, runnersOf, tenantOf, type Raw } from "../../../support/runner-settings.ts";

const BUILDKIT = { namespace: "ci-buildkit", podLabels: { "app.kubernetes.io/name": "buildkitd" }, port: 1234 };
const GOPROXY = { namespace: "athens", podLabels: {}, port: 3000 };
const NETWORK = {
  ssh: true,
  clusterNetworks: ["100.64.0.0/10"],
  apiServer: ["10.0.0.1/32"],
  services: { goproxy: GOPROXY },
  networks: { ghes: { blocks: ["10.9.0.0/16"], ports: [443] } },
};

/** What the runners of a tenant's trusted zone may connect to. */
function access(about: Raw, network: Raw = {}, buildkit?: typeof BUILDKIT) {
  const zone = { sets: { bake: { maxRunners: 1 } }, network };
  const runners = runnersOf({ a: tenantOf({ trusted: zone, ...about }) });
  const { a: tenant } = runners.tenants;
  const [plan] = plansOf(runners).a?.namespaces ?? [];
  if (tenant === undefined || plan === undefined) throw new Error("nothing was planned");
  return networkAccess(tenant, plan, buildkit);
}

describe("what runners may connect to", () => {
  it("is what their zone says", () => {
    expect(access({}, NETWORK)).toEqual({ ...NETWORK, proxies: [] });
    expect(access({})).toEqual({
      ...{ ssh: false, clusterNetworks: [], apiServer: [], services: {}, networks: {}, proxies: [] },
    });
  });

  it("and their buildkitd, where they have one, beside the zone's own services", () => {
    expect(access({}, NETWORK, BUILDKIT).services).toEqual({ goproxy: GOPROXY, buildkitd: BUILDKIT });
  });

  it.each<[string, Raw, readonly string[]]>([
    ["both", { http: { url: "http://a:1" }, https: { url: "http://b:2" } }, ["http://a:1", "http://b:2"]],
    ["one address twice", { http: { url: "http://a:1" }, https: { url: "http://a:1" } }, ["http://a:1"]],
    ["one", { https: { url: "https://b" } }, ["https://b"]],
    ["none", { noProxy: ["acme.example"] }, []],
  ])("and the tenant's proxies: %s", (_, proxy, proxies) => {
    expect(access({ proxy }).proxies).toEqual(proxies);
  });

  it("is what policies can be made of", () => {
    const proxy = { https: { url: "http://10.1.2.3:3128" } };
    const policies = networkPolicies(access({ proxy }, NETWORK, BUILDKIT), "at");
    expect(policies.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["allow-proxy", "allow-service-buildkitd", "allow-service-goproxy"]),
    );
  });
});
