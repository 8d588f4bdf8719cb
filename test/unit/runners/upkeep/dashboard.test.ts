import { describe, expect, it } from "vitest";
import { runnersDashboard } from "../../../../runners/upkeep/dashboard.ts";
import { runnerPodMonitor } from "../../../../runners/upkeep/pod-monitor.ts";
import { KNOWN_METRICS, metricsOf } from "./promql.ts";

describe("runnersDashboard", () => {
  const { panels, templating } = runnersDashboard();
  const variables = (templating.list as { name: string }[]).map(({ name }) => name);

  it("asks for metrics that somebody gives", () => {
    for (const { targets } of panels) {
      for (const { expr } of targets) {
        const metrics = metricsOf(expr.replaceAll("$__rate_interval", "5m"));
        expect(metrics.length).toBeGreaterThan(0);
        for (const metric of metrics) expect([...KNOWN_METRICS]).toContain(metric);
      }
    }
  });

  it("uses the variables that it defines, and no others", () => {
    const used = [...JSON.stringify(panels).matchAll(/\$\{?(\w+)/g)].map(([, name]) => name ?? "");
    expect([...new Set(used)].filter((name) => name !== "__rate_interval").sort()).toEqual([...variables].sort());
  });

  it("has panels that lie side by side, each with an id and series of its own", () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const places = panels.map(({ gridPos: { x, y, w } }) => `${x} ${y} ${w}`);
    expect(new Set(places).size).toBe(panels.length);
    for (const { targets, gridPos } of panels) {
      expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
    }
  });
});

it("the PodMonitor finds controller and listeners by their labels, and keeps the labels of their series", () => {
  const { selector, namespaceSelector, podMetricsEndpoints } = runnerPodMonitor("arc-systems", "30s");
  expect(namespaceSelector).toEqual({ matchNames: ["arc-systems"] });
  const selects = (labels: Readonly<Record<string, string>>) =>
    selector.matchExpressions.every(({ key, values }) => values.includes(labels[key] ?? ""));
  const [part, component] = ["app.kubernetes.io/part-of", "app.kubernetes.io/component"];
  expect(selects({ [part]: "gha-rs-controller", [component]: "controller-manager" })).toBe(true);
  expect(selects({ [part]: "gha-runner-scale-set", [component]: "runner-scale-set-listener" })).toBe(true);
  expect(selects({ [part]: "gha-runner-scale-set", [component]: "runner" })).toBe(false);
  expect(podMetricsEndpoints).toMatchObject([
    { port: "metrics", path: "/metrics", interval: "30s", honorLabels: true },
  ]);
});
