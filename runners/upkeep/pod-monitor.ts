import { TARGET } from "./alerts.ts";

/** The spec of a PodMonitor, as far as this one has fields (monitoring.coreos.com/v1). */
export interface PodMonitorSpec {
  readonly jobLabel: string;
  readonly namespaceSelector: { readonly matchNames: readonly string[] };
  readonly selector: {
    readonly matchExpressions: readonly {
      readonly key: string;
      readonly operator: "In";
      readonly values: readonly string[];
    }[];
  };
  readonly podMetricsEndpoints: readonly {
    readonly port: string;
    readonly path: string;
    readonly interval: string;
    readonly honorLabels: boolean;
    readonly relabelings: readonly { readonly sourceLabels: readonly string[]; readonly targetLabel: string }[];
  }[];
}

const COMPONENT = "app.kubernetes.io/component";

/**
 * Reads the metrics of the controller and of every listener, which all run in the controller's namespace. The labels that they
 * give their series stay (`honorLabels`): `namespace` is the scale set's, not the listener's.
 */
export function runnerPodMonitor(controllerNamespace: string, interval: string): PodMonitorSpec {
  const podLabel = (name: string) => `__meta_kubernetes_pod_label_actions_github_com_${name}`;
  return {
    jobLabel: COMPONENT,
    namespaceSelector: { matchNames: [controllerNamespace] },
    selector: {
      matchExpressions: [
        { key: "app.kubernetes.io/part-of", operator: "In", values: ["gha-rs-controller", "gha-runner-scale-set"] },
        { key: COMPONENT, operator: "In", values: [TARGET.controller, TARGET.listener] },
      ],
    },
    podMetricsEndpoints: [
      {
        port: "metrics",
        path: "/metrics",
        interval,
        honorLabels: true,
        relabelings: [
          { sourceLabels: [podLabel("scale_set_name")], targetLabel: TARGET.scaleSet },
          { sourceLabels: [podLabel("scale_set_namespace")], targetLabel: TARGET.scaleSetNamespace },
        ],
      },
    ],
  };
}
