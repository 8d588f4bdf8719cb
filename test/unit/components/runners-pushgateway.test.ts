import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { Runners } from "../../../components/runners.ts";
import { recordResources, settled } from "../../support/mocks.ts";
import { plansOf, runnersOf, SECRETS, tenantOf, type Raw } from "../../support/runner-settings.ts";

const CACHED = { cache: { mode: "lane", lanes: 1, size: "50Gi" }, sets: { bake: { maxRunners: 1, cache: true } } };

/** What a stack with one tenant, whose trusted runners have a cache, makes. */
async function made(cluster: Raw): Promise<string> {
  pulumi.runtime.setAllConfig({ "kiln:appKey": SECRETS.appKey }, ["kiln:appKey"]);
  const resources = await recordResources();
  const settings = runnersOf({ a: tenantOf({ trusted: CACHED }) }, { cluster, controller: {} });
  const preflight = { plans: plansOf(settings), arch: "amd64" as const, crds: [], warnings: [], notes: [] };
  const image = `localhost:5180/actions-runner@sha256:${"a".repeat(64)}`;
  new Runners("runners", { settings, preflight, image, runnerGroups: {} });
  await settled();
  return JSON.stringify(resources);
}

describe("the runners of a stack", () => {
  it("with a Pushgateway tell it what their caches served, reach it, and are watched", async () => {
    const all = await made({ monitoring: "prometheus-operator", pushgateway: { namespace: "monitoring" } });
    expect(all).toContain('{"name":"KILN_SCALE_SET","value":"dev-a-bake-lane-0"}');
    expect(all).toContain('"allow-service-pushgateway"');
    expect(all).toContain('"RunnerCacheMisses"');
  });

  it("without one know nothing of it", async () => {
    const all = await made({ monitoring: "prometheus-operator" });
    expect(all).toContain('"RunnerVolumeNearlyFull"');
    expect(all).not.toMatch(/KILN_SCALE_SET|allow-service-pushgateway|RunnerCacheMisses/);
  });
});
