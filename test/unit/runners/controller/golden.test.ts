import { expect, it } from "vitest";
import type { RunnerControllerArgs } from "../../../../components/runner-controller.ts";
import {
  expectGolden,
  manifestsOf,
  readGolden,
  type AllowedDifferences,
  type Manifest,
} from "../../../support/golden.ts";
import { recordResources, valueOf } from "../../../support/mocks.ts";

const DEFAULT = readGolden("controller.rendered.yaml");
const FULL = readGolden("controller-full.rendered.yaml");

/** Where a controller of ours differs from the official chart's, whatever the values. */
const RENDERED: AllowedDifferences = {
  '*: metadata.labels["helm.sh/chart"]': "no Helm chart is installed",
  '*: metadata.labels["app.kubernetes.io/managed-by"]': "Pulumi manages it",
  '*["app.kubernetes.io/instance"]': "there is no Helm release: the full name tells instances apart",
  "*: rules (order)": "rights are a union, their order says nothing",
};

/** And where it makes what the chart leaves to others. */
const ALWAYS: AllowedDifferences = {
  ...RENDERED,
  "Namespace/arc-systems":
    "the chart leaves the namespace to `helm install --create-namespace`; ours has pod-security labels",
};

/** Where our defaults are others. */
const DEFAULTS: AllowedDifferences = {
  ...ALWAYS,
  "Deployment/arc-controller: spec.template.spec.containers[manager].args[--log-level=*]":
    "debug prints every reconciliation",
  "Deployment/arc-controller: spec.template.spec.containers[manager].args[--*metrics-*]": "metrics are on by default",
  "Deployment/arc-controller: spec.template.spec.containers[manager].args[--health-probe-bind-address=:8081]":
    "a Deployment without probes is ready at once, and never restarted when it hangs",
  "Deployment/arc-controller: spec.template.spec.containers[manager].livenessProbe": "as above",
  "Deployment/arc-controller: spec.template.spec.containers[manager].readinessProbe": "as above",
  "Deployment/arc-controller: spec.template.spec.containers[manager].ports": "metrics are on by default",
  "Deployment/arc-controller: spec.template.spec.containers[manager].resources":
    "a pod without requests is the first to be evicted",
  "Deployment/arc-controller: spec.template.spec.containers[manager].securityContext":
    "secure by default: no capabilities, no privilege, a read-only root (the manager writes to /tmp alone)",
  "Deployment/arc-controller: spec.template.spec.securityContext":
    "secure by default: no root, the runtime's seccomp profile",
};

/** What made `controller-full.rendered.yaml`, in our words. */
const FULL_ARGS: Partial<RunnerControllerArgs> = {
  replicas: 2,
  image: "registry.acme.example/gha-runner-scale-set-controller:0.14.2",
  imagePullPolicy: "Always",
  imagePullSecrets: ["registry-login", "mirror-login"],
  labels: { team: "platform" },
  env: [{ name: "HTTPS_PROXY", value: "http://proxy.acme.example:3128" }],
  serviceAccountAnnotations: { purpose: "controller" },
  podAnnotations: { contact: "platform@acme.example" },
  podLabels: { team: "platform" },
  resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "512Mi" } },
  nodeSelector: { "kubernetes.io/os": "linux" },
  tolerations: [{ key: "platform", operator: "Exists", effect: "NoSchedule" }],
  affinity: {
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        {
          weight: 100,
          podAffinityTerm: {
            topologyKey: "kubernetes.io/hostname",
            labelSelector: { matchLabels: { "app.kubernetes.io/name": "gha-rs-controller" } },
          },
        },
      ],
    },
  },
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: "topology.kubernetes.io/zone",
      whenUnsatisfiable: "ScheduleAnyway",
      labelSelector: { matchLabels: { "app.kubernetes.io/name": "gha-rs-controller" } },
    },
  ],
  volumes: [{ name: "ca", configMap: { name: "acme-ca" } }],
  volumeMounts: [{ name: "ca", mountPath: "/etc/ssl/acme", readOnly: true }],
  priorityClassName: "system-cluster-critical",
  metrics: { listenerAddr: ":8081" },
  pprofAddr: ":6060",
  logFormat: "json",
  watchSingleNamespace: "runners",
  runnerMaxConcurrentReconciles: 8,
  updateStrategy: "eventual",
  excludeLabelPropagationPrefixes: ["argocd.argoproj.io/instance"],
  k8sClientRateLimiterQps: 40,
  k8sClientRateLimiterBurst: 60,
  rateLimiter: "typed_rate_limiter",
  healthProbeBindAddress: ":8082",
};

async function controller(args: Partial<RunnerControllerArgs> = {}): Promise<readonly Manifest[]> {
  const recorded = await recordResources();
  const { RunnerController } = await import("../../../../components/runner-controller.ts");
  const made = new RunnerController("arc", { namespace: "arc-systems", crds: [], ...args });
  await valueOf(made.namespace);
  return manifestsOf(recorded);
}

it.skipIf(DEFAULT === undefined)(
  "is the official chart's default but for what the table gives a reason for",
  async () => {
    expectGolden(await controller(), DEFAULT ?? [], DEFAULTS);
  },
);

it.skipIf(DEFAULT === undefined)("is the official chart's default wherever a value can say so", async () => {
  const chart = { logLevel: "debug", metrics: false, healthProbeBindAddress: false } as const;
  const { resources, security, podSecurity } = {
    resources: "Deployment/arc-controller: spec.template.spec.containers[manager].resources",
    security: "Deployment/arc-controller: spec.template.spec.containers[manager].securityContext",
    podSecurity: "Deployment/arc-controller: spec.template.spec.securityContext",
  };
  const made = await controller({
    ...chart,
    createNamespace: false,
    resources: {},
    securityContext: {},
    podSecurityContext: {},
  });
  const empty = "nothing is asked for in either";
  expectGolden(made, DEFAULT ?? [], { ...RENDERED, [resources]: empty, [security]: empty, [podSecurity]: empty });
});

it.skipIf(FULL === undefined)("expresses every value of the official chart", async () => {
  expectGolden(await controller(FULL_ARGS), FULL ?? [], ALWAYS);
});

it.skipIf(DEFAULT === undefined)("has a table that a new difference does not pass", async () => {
  const made = await controller({ replicas: 2 });
  expect(() => {
    expectGolden(made, DEFAULT ?? [], DEFAULTS);
  }).toThrow("not in the table: Role/arc-controller-leader-election");
});
