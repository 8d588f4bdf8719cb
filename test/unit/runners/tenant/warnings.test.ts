import { describe, expect, it } from "vitest";
import { planWarnings } from "../../../../runners/tenant/warnings.ts";
import { FILE, plansOf, runnersOf, tenantOf, type Raw } from "../../../support/runner-settings.ts";

const DOCKER = { image: { mode: "dind", maxRunners: 1 } };
const LANES = { mode: "lane", lanes: 2, size: "50Gi" };
const NODE = { mode: "node", node: "big", size: "50Gi" };
const TRUSTED = `${FILE}: kiln:tenants.a.trusted`;

/** What is said of a tenant that has Docker, but for these scale sets and what they need. */
function warningsOf({ sets, ...zone }: { readonly sets: Raw } & Raw, about: Raw = {}): readonly string[] {
  const runners = runnersOf({ a: tenantOf({ trusted: { ...zone, sets: { ...DOCKER, ...sets } }, ...about }) });
  const { a: tenant } = runners.tenants;
  const { a: plan } = plansOf(runners);
  if (tenant === undefined || plan === undefined) throw new Error("nothing was planned");
  return planWarnings(tenant, plan);
}

describe("planWarnings", () => {
  it("says nothing of runners that have Docker and hold nothing open", () => {
    const sets = { bake: { maxRunners: 2, cache: true } };
    expect(warningsOf({ cache: LANES, buildkit: { size: "20Gi" }, sets })).toEqual([]);
  });

  it("says that a runner which waits on its lane keeps the collector out", () => {
    const sets = { bake: { maxRunners: 2, minRunners: 1, cache: true } };
    expect(warningsOf({ cache: LANES, sets })).toEqual([
      expect.stringContaining(`${TRUSTED}.sets.bake.minRunners keeps a runner waiting on its lane`),
    ]);
  });

  it.each<[string, Raw, Raw]>([
    ["a lane that nobody collects", { ...LANES, garbageCollection: false }, { maxRunners: 2, cache: true }],
    ["a volume that several hold at once", NODE, { maxRunners: 2, cache: true }],
    ["runners without the cache", LANES, { maxRunners: 2 }],
  ])("says nothing of that about %s", (_, cache, set) => {
    const others = cache.mode === "lane" && set.cache !== true ? { cached: { maxRunners: 2, cache: true } } : {};
    const sets = { bake: { ...set, minRunners: 1 }, ...others };
    expect(warningsOf({ cache, sets }).filter((warning) => warning.includes("minRunners"))).toEqual([]);
  });

  it.each<[string, Raw, number]>([
    ["by name", {}, 1],
    ["by name, with the cluster's networks closed", { network: { clusterNetworks: ["10.0.0.0/8"] } }, 0],
  ])("says what a proxy %s leaves open", (_, zone, count) => {
    const sets = { bake: { maxRunners: 1 } };
    const named = warningsOf({ ...zone, sets }, { proxy: { https: { url: "http://proxy.acme.example:3128" } } });
    expect(named.filter((warning) => warning.includes("open to every private network"))).toHaveLength(count);
    const narrow = ["http://10.0.0.7:3128", "http://[fd00::7]:3128", "http://squid.web.svc:3128"];
    for (const url of narrow) expect(warningsOf({ ...zone, sets }, { proxy: { http: { url } } })).toEqual([]);
  });

  it("says that a buildkitd is made of none, once for its zone", () => {
    const untrusted = { buildkit: { size: "20Gi" }, sets: { check: { maxRunners: 1 } } };
    expect(warningsOf({ buildkit: { size: "20Gi" }, sets: {} }, { untrusted })).toEqual([
      `${TRUSTED}.buildkit makes nothing: it is for sets with mode: none, and the zone has none`,
    ]);
  });
});
