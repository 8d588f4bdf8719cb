import type { SettledController } from "./settled.ts";

/** The manager's command line. Image pull secrets are for listeners, which it makes in the image that it runs itself. */
export function managerArgs(controller: SettledController): string[] {
  const { metrics } = controller;
  const flags: readonly (readonly [name: string, value: string | number | false | undefined])[] = [
    ...(controller.replicas > 1 ? ([["leader-election-id", controller.fullName]] as const) : []),
    ...(controller.imagePullSecrets ?? []).map((secret) => ["auto-scaler-image-pull-secrets", secret] as const),
    ["log-level", controller.logLevel],
    ["log-format", controller.logFormat],
    ["watch-single-namespace", controller.watchSingleNamespace],
    ["runner-max-concurrent-reconciles", controller.runnerMaxConcurrentReconciles],
    ["update-strategy", controller.updateStrategy],
    ["listener-metrics-addr", metrics === false ? "0" : metrics.listenerAddr],
    ["listener-metrics-endpoint", metrics === false ? "" : metrics.listenerEndpoint],
    ["metrics-addr", metrics === false ? "0" : metrics.controllerManagerAddr],
    ["pprof-addr", controller.pprofAddr],
    ...(controller.excludeLabelPropagationPrefixes ?? []).map(
      (prefix) => ["exclude-label-propagation-prefix", prefix] as const,
    ),
    ["k8s-client-rate-limiter-qps", controller.k8sClientRateLimiterQps],
    ["k8s-client-rate-limiter-burst", controller.k8sClientRateLimiterBurst],
    ["workqueue-rate-limiter", controller.rateLimiter],
    ["health-probe-bind-address", controller.healthProbeBindAddress],
  ];
  return [
    "--auto-scaling-runner-set-only",
    ...(controller.replicas > 1 ? ["--enable-leader-election"] : []),
    ...flags.flatMap(([name, value]) => (value === undefined || value === false ? [] : [`--${name}=${value}`])),
  ];
}

/** The port of an address such as `:8080`, or undefined where it has none. */
export function portOf(address: string): number | undefined {
  const port = Number(/:(\d+)$/.exec(address)?.[1]);
  return port >= 1 && port <= 65_535 ? port : undefined;
}
