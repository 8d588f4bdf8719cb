import { expect, it, vi } from "vitest";
import type { RunnerObservabilityArgs } from "../../../components/runner-observability.ts";
import { recordResources } from "../../support/mocks.ts";

async function observability(args: Partial<RunnerObservabilityArgs> = {}) {
  const resources = await recordResources();
  const { RunnerObservability } = await import("../../../components/runner-observability.ts");
  new RunnerObservability("observability", {
    controllerNamespace: "arc-systems",
    scaleSets: [{ namespace: "runners", name: "bake" }],
    volumeNamespaces: ["runners"],
    freshnessCheck: { namespace: "runners", cronJob: "runner-freshness" },
    release: { version: "2.337.0", released: "2026-09-15" },
    ...args,
  });
  await vi.waitFor(() => {
    expect(resources).toHaveLength(4);
  });
  return Object.fromEntries(resources.map((resource) => [`${resource.type} ${resource.name}`, resource.inputs]));
}

const MONITOR = "kubernetes:monitoring.coreos.com/v1:PodMonitor observability-metrics";
const RULES = "kubernetes:monitoring.coreos.com/v1:PrometheusRule observability-alerts";
const DASHBOARD = "kubernetes:core/v1:ConfigMap observability-dashboard";

it("is a monitor, rules and a dashboard, all where the listeners run", async () => {
  const made = await observability();
  expect(Object.keys(made).sort()).toEqual(
    ["kiln:runner:RunnerObservability observability", DASHBOARD, MONITOR, RULES].sort(),
  );
  for (const name of [MONITOR, RULES, DASHBOARD]) {
    expect(made[name]).toMatchObject({ metadata: { namespace: "arc-systems" } });
  }
  expect(made[RULES]).toMatchObject({
    spec: {
      groups: [
        { name: "kiln.controller" },
        { name: "kiln.runners" },
        { name: "kiln.caches" },
        { name: "kiln.freshness" },
      ],
    },
  });
});

it("has a dashboard that Grafana's sidecar finds, as JSON", async () => {
  const { [DASHBOARD]: dashboard } = await observability();
  expect(dashboard).toMatchObject({ metadata: { labels: { grafana_dashboard: "1" } } });
  const { data } = dashboard as { data: Record<string, string> };
  expect(JSON.parse(data["kiln-runners.json"] ?? "")).toMatchObject({ uid: "kiln-runners" });
});

it("carries the labels that a Prometheus selects by", async () => {
  const made = await observability({
    monitorLabels: { release: "prometheus" },
    dashboardLabels: { dashboards: "yes" },
  });
  for (const name of [MONITOR, RULES])
    expect(made[name]).toMatchObject({ metadata: { labels: { release: "prometheus" } } });
  expect(made[DASHBOARD]).toMatchObject({ metadata: { labels: { dashboards: "yes" } } });
});
