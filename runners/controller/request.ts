import type {
  V1Affinity,
  V1EnvVar,
  V1PodSecurityContext,
  V1ProjectedVolumeSource,
  V1ResourceRequirements,
  V1SecurityContext,
  V1Toleration,
  V1TopologySpreadConstraint,
  V1Volume,
  V1VolumeMount,
} from "@kubernetes/client-node";
import type { Shape } from "../kubernetes-shape.ts";

/** What a controller is asked to be: all that its official chart can express. What is left out has the default named here. */
export interface ControllerRequest extends ControllerFlags, ControllerPlacement {
  /** Where it and every listener run. */
  readonly namespace: string;
  /** The name of Deployment, roles and account; `arc-controller`. */
  readonly fullName?: string;
  /** The account to run as; the one made here, which has the full name. */
  readonly serviceAccountName?: string;
  /** Make that account; true. */
  readonly createServiceAccount?: boolean;
  readonly serviceAccountAnnotations?: Readonly<Record<string, string>>;
  /** The release that runs; `ARC_VERSION`. */
  readonly version?: string;
  /** The image, best by digest: its tag must then be told as `version`. The release's own on ghcr.io. Listeners run it too. */
  readonly image?: string;
  readonly imagePullPolicy?: "Always" | "IfNotPresent" | "Never";
  /** Secrets of the namespace with registry logins, for the controller and its listeners. */
  readonly imagePullSecrets?: readonly string[];
  /** More than one elect a leader; 1. */
  readonly replicas?: number;
  /** On the account and the Deployment. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly podLabels?: Readonly<Record<string, string>>;
  readonly podAnnotations?: Readonly<Record<string, string>>;
  readonly env?: readonly Shape<V1EnvVar>[];
  /** 100m of a CPU and 128Mi requested, no limit: its memory grows with the runners. */
  readonly resources?: Shape<V1ResourceRequirements>;
  /** In the place of the secure default. */
  readonly podSecurityContext?: Shape<V1PodSecurityContext>;
  /** In the place of the secure default. */
  readonly securityContext?: Shape<V1SecurityContext>;
  readonly volumes?: readonly ControllerVolume[];
  readonly volumeMounts?: readonly Shape<V1VolumeMount>[];
}

/** Where the controller's pods run. */
export interface ControllerPlacement {
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly tolerations?: readonly Shape<V1Toleration>[];
  readonly affinity?: Shape<V1Affinity>;
  readonly topologySpreadConstraints?: readonly Shape<V1TopologySpreadConstraint>[];
  readonly priorityClassName?: string;
}

/** What the manager is told on its command line. */
export interface ControllerFlags {
  /** `info`; the chart's `debug` prints every reconciliation. */
  readonly logLevel?: "debug" | "info" | "warn" | "error";
  /** `text`. */
  readonly logFormat?: "text" | "json";
  /** The one namespace whose scale sets it looks after, which must exist; all of the cluster's. */
  readonly watchSingleNamespace?: string;
  /** Runners looked after at a time; 2. More start faster, and ask more of the API server and GitHub. */
  readonly runnerMaxConcurrentReconciles?: number;
  /** `immediate` may run more than the maximum for a while after an upgrade, `eventual` waits for running jobs; `immediate`. */
  readonly updateStrategy?: "immediate" | "eventual";
  /** Labels of scale sets that are not handed on to what is made for them, by prefix. */
  readonly excludeLabelPropagationPrefixes?: readonly string[];
  /** `typed_rate_limiter` lifts the cap of 10 reconciliations a second over all; from 0.14.2 on. */
  readonly rateLimiter?: "bucket_rate_limiter" | "typed_rate_limiter";
  /** Requests a second to the API server; 20 in the manager. */
  readonly k8sClientRateLimiterQps?: number;
  /** 30 in the manager. */
  readonly k8sClientRateLimiterBurst?: number;
  /** Where health is answered; `:8081` from 0.14.2 on, before there is none. False for none. */
  readonly healthProbeBindAddress?: string | false;
  /** Where pprof is answered; nowhere. From 0.14.2 on. */
  readonly pprofAddr?: string;
  /** Metrics of controller and listeners, all at `:8080/metrics`. False for none. */
  readonly metrics?: false | ControllerMetrics;
}

export interface ControllerMetrics {
  /** `:8080`. */
  readonly controllerManagerAddr?: string;
  /** `:8080`. */
  readonly listenerAddr?: string;
  /** `/metrics`. */
  readonly listenerEndpoint?: string;
}

/** A volume. One that is projected says of what: Pulumi's types ask for it. */
export type ControllerVolume = Omit<Shape<V1Volume>, "projected"> & { projected?: Projection };

type Projection = Shape<V1ProjectedVolumeSource> & Required<Pick<Shape<V1ProjectedVolumeSource>, "sources">>;
