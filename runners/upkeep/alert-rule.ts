/** A group of rules as `monitoring.coreos.com/v1` PrometheusRule and Prometheus' own files have it. */
export interface RuleGroup {
  readonly name: string;
  readonly rules: readonly AlertRule[];
}

export interface AlertRule {
  readonly alert: string;
  /** PromQL: every series of its result is an alert. */
  readonly expr: string;
  readonly for: string;
  readonly labels: Readonly<Record<string, string>> & { readonly severity: "warning" | "critical" };
  readonly annotations: { readonly summary: string; readonly description: string };
}
