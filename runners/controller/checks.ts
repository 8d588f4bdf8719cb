import { KilnError } from "../../errors.ts";
import { hasPatch, requireLockstep } from "./arc.ts";
import { portOf } from "./flags.ts";
import { PROBES_PATCH, settledController, type SettledController } from "./settled.ts";
import type { ControllerRequest } from "./request.ts";
import { requireNamespaceName } from "../scale-set/name.ts";

/**
 * The request with its defaults. Throws a usage error for what the controller or Kubernetes would refuse later; `at` is the
 * key path under which the request is written.
 */
export function requireController(request: ControllerRequest, at: string): SettledController {
  const controller = settledController(request);
  requireLockstep(controller.version, `${at}.version`);
  requireImageOfVersion(controller, at);
  requireNames(controller, at);
  requireCounts(controller, at);
  requireAddresses(controller, at);
  requireKnownFlags(request, controller.version, at);
  return controller;
}

/** A tag that is a version says what runs; one that is none, or a digest, says nothing. */
function requireImageOfVersion({ image, version }: SettledController, at: string): void {
  const tag = /:(?<tag>v?\d+\.\d+\.\d+[^/@]*)(?:@|$)/.exec(image)?.groups?.tag;
  if (tag === undefined) return;
  requireLockstep(tag, `the tag of ${at}.image`);
  if (tag.replace(/^v/, "") === version.replace(/^v/, "")) return;
  throw refusal(`${at}.image is of ${tag}, but ${at}.version is ${version}`, "Set both to the release that shall run");
}

function requireNames(controller: SettledController, at: string): void {
  requireNamespaceName(controller.namespace, `${at}.namespace`);
  requireNamespaceName(controller.fullName, `${at}.fullName`);
  requireNamespaceName(controller.serviceAccountName, `${at}.serviceAccountName`);
  if (controller.watchSingleNamespace !== undefined) {
    requireNamespaceName(controller.watchSingleNamespace, `${at}.watchSingleNamespace`);
  }
  if (controller.serviceAccountName === "default") {
    throw refusal(
      `${at}.serviceAccountName is "default", the account of every pod in ${controller.namespace} that names none`,
      "Give the controller an account of its own: those pods would get all its rights",
    );
  }
}

const COUNTS = [
  "replicas",
  "runnerMaxConcurrentReconciles",
  "k8sClientRateLimiterQps",
  "k8sClientRateLimiterBurst",
] as const;

function requireCounts(controller: SettledController, at: string): void {
  for (const key of COUNTS) {
    const count = controller[key];
    if (count === undefined || (Number.isSafeInteger(count) && count >= 1)) continue;
    throw refusal(`${at}.${key} is ${count}, but must be a whole number from 1 on`, "Leave it out for the default");
  }
}

/** Throws for an address without a port, and for two of one container that ask for the same. */
function requireAddresses(controller: SettledController, at: string): void {
  const { metrics, pprofAddr, healthProbeBindAddress } = controller;
  const own = {
    "metrics.controllerManagerAddr": metrics === false ? undefined : metrics.controllerManagerAddr,
    pprofAddr,
    healthProbeBindAddress: healthProbeBindAddress === false ? undefined : healthProbeBindAddress,
  };
  const taken = new Map<number, string>();
  for (const [key, address] of Object.entries(own)) {
    if (address === undefined) continue;
    const port = requirePort(address, `${at}.${key}`);
    const other = taken.get(port);
    if (other !== undefined) {
      throw refusal(`${at}.${key} and ${at}.${other} both are port ${port}`, "Give each a port of its own");
    }
    taken.set(port, key);
  }
  if (metrics !== false) requirePort(metrics.listenerAddr, `${at}.metrics.listenerAddr`);
}

function requirePort(address: string, at: string): number {
  const port = portOf(address);
  if (port !== undefined) return port;
  throw refusal(
    `${at} is ${JSON.stringify(address)}, which has no port`,
    "Write it as :8080, or as an address and a port",
  );
}

/** A manager that does not know a flag does not start. */
function requireKnownFlags(request: ControllerRequest, version: string, at: string): void {
  if (hasPatch(version, PROBES_PATCH)) return;
  for (const key of ["rateLimiter", "healthProbeBindAddress", "pprofAddr"] as const) {
    const value = request[key];
    if (value === undefined || value === false) continue;
    throw refusal(
      `${at}.${key} is set, which a controller of ${version} does not know`,
      "Leave it out, or upgrade first",
    );
  }
}

function refusal(message: string, mend: string): KilnError {
  return new KilnError("usage", message, { mend });
}
