import { describe, expect, it } from "vitest";
import { alertRules } from "../../../../runners/upkeep/alerts.ts";
import { cacheRules } from "../../../../runners/upkeep/cache-alerts.ts";
import { runnersDashboard } from "../../../../runners/upkeep/dashboard.ts";
import { KNOWN_METRICS, metricsOf } from "./promql.ts";

const OWN = 'scale_set=~"bake-0|bake-1"';
const RATIO = (own: string) =>
  `sum by (scale_set, shard) (kiln_cache_packages{result="hit",${own}}) / ` +
  `sum by (scale_set, shard) (kiln_cache_packages{${own}})`;

describe("the alert on caches that miss", () => {
  it("asks for the last warm of each shard, where it was warmed again within the week", () => {
    expect(cacheRules(["bake-1", "bake-0"]).map(({ alert, expr, for: held }) => [alert, expr, held])).toEqual([
      [
        "RunnerCacheMisses",
        `${RATIO(OWN)} < 0.5 and on (scale_set, shard) changes(kiln_cache_warm_timestamp_seconds{${OWN}}[1w]) > 0`,
        "1h",
      ],
    ]);
  });

  it("asks for what is pushed, and names labels that a division keeps", () => {
    for (const { expr, annotations } of cacheRules(["bake"])) {
      for (const metric of metricsOf(expr)) expect([...KNOWN_METRICS]).toContain(metric);
      const named = [...JSON.stringify(annotations).matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label);
      expect(new Set(named)).toEqual(new Set(["scale_set", "shard"]));
      expect(annotations.description).toMatch(/\.$/);
    }
  });

  it("stands among those of the caches, and only where scale sets tell what theirs served", () => {
    const fleet = { scaleSets: [], volumeNamespaces: [], freshnessCheck: undefined, release: undefined };
    const alertsOf = (measuredScaleSets?: readonly string[]) =>
      alertRules({
        ...{ ...fleet, controllerNamespace: "arc" },
        ...(measuredScaleSets === undefined ? {} : { measuredScaleSets }),
      }).flatMap(({ name, rules }) => rules.map(({ alert }) => `${name} ${alert}`));
    expect(alertsOf(["bake"])).toEqual(["kiln.controller RunnerControllerDown", "kiln.caches RunnerCacheMisses"]);
    expect(alertsOf([])).toEqual(["kiln.controller RunnerControllerDown"]);
    expect(alertsOf()).toEqual(["kiln.controller RunnerControllerDown"]);
  });
});

it("the dashboard shows the same ratio, of the scale sets that are picked", () => {
  const panel = runnersDashboard().panels.find(({ title }) => title === "Packages that came from the cache");
  expect(panel?.fieldConfig.defaults.unit).toBe("percentunit");
  expect(panel?.targets.map(({ expr, legendFormat }) => [legendFormat, expr])).toEqual([
    ["{{scale_set}} {{shard}}", RATIO('scale_set=~"$scale_set"')],
  ]);
});
