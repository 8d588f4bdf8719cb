import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { alertRules, type RunnerFleet } from "../runners/upkeep/alerts.ts";
import { runnersDashboard } from "../runners/upkeep/dashboard.ts";
import { runnerPodMonitor } from "../runners/upkeep/pod-monitor.ts";

export interface RunnerObservabilityArgs extends RunnerFleet {
  /** What Prometheus selects PodMonitors and rules by, such as `{release: "kube-prometheus-stack"}`. */
  readonly monitorLabels?: Readonly<Record<string, string>>;
  /** Labels by which Grafana's sidecar finds dashboards; `grafana_dashboard: "1"` where left out. */
  readonly dashboardLabels?: Readonly<Record<string, string>>;
  /** How often metrics are read; every 30 seconds where left out. */
  readonly scrapeInterval?: string;
}

/**
 * What a cluster with the Prometheus operator sees of its runners: their metrics, alerts and a dashboard, all in the
 * controller's namespace, where the listeners run. Controller and listeners must have their metrics on.
 */
export class RunnerObservability extends pulumi.ComponentResource {
  constructor(name: string, args: RunnerObservabilityArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super("kiln:runner:RunnerObservability", name, args, opts);
    const { controllerNamespace: namespace, monitorLabels = {}, scrapeInterval = "30s" } = args;
    const groups = alertRules(args);
    const dashboard = JSON.stringify(runnersDashboard(), null, 2);
    const metadata = (labels: Readonly<Record<string, string>>, part: string) => ({
      name: `kiln-${part}`,
      namespace,
      labels: { ...labels, "app.kubernetes.io/name": `kiln-${part}`, "app.kubernetes.io/managed-by": "pulumi" },
    });
    // A component's own dependencies are not its children's: without them these would come before their namespace.
    const own = { parent: this, ...(opts.dependsOn === undefined ? {} : { dependsOn: opts.dependsOn }) };
    new k8s.apiextensions.CustomResource(
      `${name}-metrics`,
      {
        apiVersion: "monitoring.coreos.com/v1",
        kind: "PodMonitor",
        metadata: metadata(monitorLabels, "runners"),
        spec: runnerPodMonitor(namespace, scrapeInterval),
      },
      own,
    );
    new k8s.apiextensions.CustomResource(
      `${name}-alerts`,
      {
        apiVersion: "monitoring.coreos.com/v1",
        kind: "PrometheusRule",
        metadata: metadata(monitorLabels, "runners"),
        spec: { groups },
      },
      own,
    );
    new k8s.core.v1.ConfigMap(
      `${name}-dashboard`,
      {
        metadata: metadata(args.dashboardLabels ?? { grafana_dashboard: "1" }, "runners-dashboard"),
        data: { "kiln-runners.json": dashboard },
      },
      own,
    );
    this.registerOutputs({});
  }
}
