import type { SettledController } from "./settled.ts";

export interface ControllerMetadata {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
}

/** By what the Deployment finds its pods. It cannot be changed afterwards. */
export function selectorLabels({ fullName, namespace }: SettledController): Record<string, string> {
  return {
    "app.kubernetes.io/name": "gha-rs-controller",
    "app.kubernetes.io/namespace": namespace,
    "app.kubernetes.io/instance": fullName,
  };
}

/** The labels of the account and the Deployment; scale-set charts of other hands find the controller by `part-of`. */
export function controllerLabels(controller: SettledController): Record<string, string> {
  return {
    ...controller.labels,
    ...selectorLabels(controller),
    "app.kubernetes.io/version": controller.version,
    "app.kubernetes.io/part-of": "gha-rs-controller",
    "app.kubernetes.io/managed-by": "pulumi",
  };
}

/** What else stands on the Deployment: how the official scale-set chart learns of account and watched namespace. */
export function discoveryLabels({
  namespace,
  serviceAccountName,
  watchSingleNamespace,
}: SettledController): Record<string, string> {
  return {
    "actions.github.com/controller-service-account-namespace": namespace,
    "actions.github.com/controller-service-account-name": serviceAccountName,
    ...(watchSingleNamespace === undefined
      ? {}
      : { "actions.github.com/controller-watch-single-namespace": watchSingleNamespace }),
  };
}
