import { ARC_VERSION, hasPatch } from "./arc.ts";
import type { ControllerFlags, ControllerMetrics, ControllerRequest } from "./request.ts";

/** A request whose defaults are filled in. */
export interface SettledController extends ControllerRequest {
  readonly fullName: string;
  readonly serviceAccountName: string;
  readonly version: string;
  readonly image: string;
  readonly replicas: number;
  readonly logLevel: NonNullable<ControllerFlags["logLevel"]>;
  readonly logFormat: NonNullable<ControllerFlags["logFormat"]>;
  readonly runnerMaxConcurrentReconciles: number;
  readonly updateStrategy: NonNullable<ControllerFlags["updateStrategy"]>;
  readonly healthProbeBindAddress: string | false;
  readonly metrics: false | Required<ControllerMetrics>;
}

/** The patch of 0.14 that came with probes, pprof and the choice of a rate limiter (#4459, #4449, #4451). */
export const PROBES_PATCH = 2;

/** Fills in what a request leaves out. */
export function settledController(request: ControllerRequest): SettledController {
  const { fullName = "arc-controller", version = ARC_VERSION } = request;
  const { metrics = {} } = request;
  return {
    ...request,
    fullName,
    version,
    serviceAccountName: request.serviceAccountName ?? fullName,
    image: request.image ?? `ghcr.io/actions/gha-runner-scale-set-controller:${version.replace(/^v/, "")}`,
    replicas: request.replicas ?? 1,
    logLevel: request.logLevel ?? "info",
    logFormat: request.logFormat ?? "text",
    runnerMaxConcurrentReconciles: request.runnerMaxConcurrentReconciles ?? 2,
    updateStrategy: request.updateStrategy ?? "immediate",
    healthProbeBindAddress: request.healthProbeBindAddress ?? (hasPatch(version, PROBES_PATCH) ? ":8081" : false),
    metrics: metrics !== false && {
      controllerManagerAddr: metrics.controllerManagerAddr ?? ":8080",
      listenerAddr: metrics.listenerAddr ?? ":8080",
      listenerEndpoint: metrics.listenerEndpoint ?? "/metrics",
    },
  };
}
