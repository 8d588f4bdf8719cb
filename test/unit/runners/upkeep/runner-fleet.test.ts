import { describe, expect, it } from "vitest";
import { runnerFleet } from "../../../../runners/upkeep/runner-fleet.ts";
import { plansOf, runnersOf, tenantOf, type Raw } from "../../../support/runner-settings.ts";

function fleet(tenants: Raw, raw: Raw = {}) {
  const runners = runnersOf(tenants, { controller: { namespace: "arc" }, ...raw });
  return runnerFleet(runners, plansOf(runners));
}

const REBUILD = { repositoryUrl: "https://github.com/acme/infra", workflow: "runner-image.yml" };
const LANES = {
  cache: { mode: "lane", lanes: 2, size: "50Gi" },
  sets: { bake: { maxRunners: 2, cache: true }, image: { mode: "dind", maxRunners: 1 } },
};

describe("what alerts watch", () => {
  it("is nothing but the controller where it is alone", () => {
    expect(fleet({})).toEqual({
      ...{ controllerNamespace: "arc", scaleSets: [], volumeNamespaces: [], freshnessCheck: undefined },
      release: undefined,
    });
  });

  it("is every scale set where it runs, and the volumes of caches", () => {
    const { scaleSets, volumeNamespaces } = fleet({ a: tenantOf({ trusted: LANES }), b: tenantOf() });
    expect(scaleSets).toEqual([
      { namespace: "runners-dev-a-trusted", name: "dev-a-bake-lane-0" },
      { namespace: "runners-dev-a-trusted", name: "dev-a-bake-lane-1" },
      { namespace: "runners-dev-a-trusted-dind", name: "dev-a-image" },
      { namespace: "runners-dev-b-trusted", name: "dev-b-bake" },
    ]);
    expect(volumeNamespaces).toEqual(["runners-dev-a-trusted"]);
  });

  it("is no volume that dies with its pod", () => {
    const cache = { mode: "clone", snapshot: "golden", size: "50Gi" };
    const sets = { bake: { maxRunners: 2, cache: true } };
    expect(fleet({ a: tenantOf({ trusted: { cache, sets } }) }).volumeNamespaces).toEqual([]);
  });

  it("is the job that looks after the runner's age, in the first namespace of the tenant that rebuilds", () => {
    const tenants = { a: tenantOf(), b: tenantOf({ rebuild: REBUILD, trusted: LANES }) };
    expect(fleet(tenants).freshnessCheck).toEqual({ namespace: "runners-dev-b-trusted", cronJob: "runner-freshness" });
  });

  it("is the age of the runner", () => {
    const release = { version: "2.337.0", released: "2026-09-15" };
    expect(fleet({ a: tenantOf() }, { actionsRunner: release }).release).toEqual(release);
  });
});
