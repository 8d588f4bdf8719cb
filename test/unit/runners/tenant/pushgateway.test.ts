import { describe, expect, it } from "vitest";
import { networkPolicies } from "../../../../runners/namespace/network-policy.ts";
import { networkAccess } from "../../../../runners/tenant/network.ts";
import { pushgatewayOf, pushgatewayService } from "../../../../runners/tenant/pushgateway.ts";
import { plannedScaleSet } from "../../../../runners/tenant/scale-set.ts";
import { runnerFleet } from "../../../../runners/upkeep/runner-fleet.ts";
import { plansOf, runnersOf, tenantOf, type Raw } from "../../../support/runner-settings.ts";

const CONTROLLER = { namespace: "arc-systems", serviceAccount: "arc-controller", version: "0.14.2" };
const GATEWAY = { namespace: "monitoring", podLabels: { app: "pushgateway" } };
const CACHED = {
  cache: { mode: "clone", snapshot: "golden", size: "50Gi" },
  sets: { bake: { maxRunners: 2, cache: true }, plain: { maxRunners: 1 } },
};

/** A tenant whose zones both have caches, one scale set that has none, and a namespace without any. */
function planned(pushgateway: Raw | null = GATEWAY, about: Raw = {}) {
  const tenant = tenantOf({
    trusted: { ...CACHED, sets: { ...CACHED.sets, image: { mode: "dind", maxRunners: 1 } } },
    untrusted: { ...CACHED, sets: { check: { maxRunners: 2, cache: true } } },
    ...about,
  });
  const runners = runnersOf({ a: tenant }, { cluster: { pushgateway } });
  const { a } = runners.tenants;
  if (a === undefined) throw new Error("no tenant was read");
  const plans = plansOf(runners);
  const namespaces = (plans.a?.namespaces ?? []).map((plan) => {
    const gateway = pushgatewayOf(plan, runners.cluster.pushgateway);
    const service = gateway === undefined ? undefined : pushgatewayService(gateway);
    return {
      key: plan.key,
      policies: networkPolicies(networkAccess(a, plan, undefined, service), "at"),
      sets: plan.sets.map((set) =>
        plannedScaleSet(a, set, { controller: CONTROLLER, arch: "amd64", pushgateway: gateway }),
      ),
    };
  });
  return { namespaces, sets: namespaces.flatMap(({ sets }) => sets), fleet: runnerFleet(runners, plans) };
}

const PUSH = "allow-service-pushgateway";

describe("a Pushgateway", () => {
  it("is told to the trusted scale sets that have a cache, each by its own name", () => {
    const { sets, fleet } = planned();
    expect(sets.map(({ scaleSetName, env }) => [scaleSetName, env])).toEqual([
      [
        "dev-a-bake",
        [
          { name: "KILN_PUSHGATEWAY_URL", value: "http://prometheus-pushgateway.monitoring.svc:9091" },
          { name: "KILN_SCALE_SET", value: "dev-a-bake" },
        ],
      ],
      ["dev-a-plain", undefined],
      ["dev-a-image", undefined],
      ["dev-a-check", undefined],
    ]);
    expect(fleet.measuredScaleSets).toEqual(["dev-a-bake"]);
  });

  it("is reached from their namespace, and from no other", () => {
    const reached = planned().namespaces.map(({ key, policies }) => [key, policies.find(({ name }) => name === PUSH)]);
    expect(reached).toEqual([
      [
        "trusted",
        {
          name: PUSH,
          spec: {
            ...{ podSelector: {}, policyTypes: ["Egress"] },
            egress: [
              {
                to: [
                  {
                    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } },
                    podSelector: { matchLabels: { app: "pushgateway" } },
                  },
                ],
                ports: [{ protocol: "TCP", port: 9091 }],
              },
            ],
          },
        },
      ],
      ["trusted-dind", undefined],
      ["untrusted", undefined],
    ]);
  });

  it("is not asked for through the tenant's proxy", () => {
    const proxy = { http: { url: "http://proxy:3128" }, noProxy: ["acme.example"] };
    const { sets } = planned({ ...GATEWAY, service: "pg" }, { proxy });
    expect(sets.map((set) => set.proxy?.noProxy)).toEqual([
      ["acme.example", "pg.monitoring.svc"],
      ["acme.example"],
      ["acme.example"],
      ["acme.example"],
    ]);
  });

  it("leaves no trace where the stack has none", () => {
    const { namespaces, sets, fleet } = planned(null);
    expect(sets.map((set) => "env" in set)).toEqual([false, false, false, false]);
    expect(namespaces.flatMap(({ policies }) => policies.map(({ name }) => name))).not.toContain(PUSH);
    expect(fleet).not.toHaveProperty("measuredScaleSets");
  });
});
