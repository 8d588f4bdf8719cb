import { requireLockstep, ARC_VERSION } from "../runners/controller/arc.ts";
import type { CrdSource } from "../runners/controller/crds.ts";
import { requireNamespaceName } from "../runners/scale-set/name.ts";
import { portOf } from "./zone-network.ts";
import { choiceOf, countOf, flagOf, mapOf, refusal, requiredText, section, textOf, type Field } from "./field.ts";

/** The cluster that a stack's runners live in. */
export interface ClusterSettings {
  /** Of the kubeconfig; the current one when not set. */
  readonly context: string | undefined;
  /** What a preview does about a cluster that cannot be reached: stop, or say what it did not check. */
  readonly checks: "required" | "ifReachable";
  /** Who reads metrics: nobody, or the Prometheus operator, whose PodMonitor and PrometheusRule are then made. */
  readonly monitoring: "none" | "prometheus-operator";
  /** Labels by which that Prometheus finds monitors and rules, such as `release: kube-prometheus-stack`. */
  readonly monitorLabels: Readonly<Record<string, string>>;
  /** Where trusted runners push how much their caches served; nowhere when not set. */
  readonly pushgateway: PushgatewaySettings | undefined;
}

/** A Prometheus Pushgateway of the cluster. */
export interface PushgatewaySettings {
  readonly namespace: string;
  readonly service: string;
  /** Of the Service and of its pods. */
  readonly port: number;
  /** Labels of its pods; every pod of the namespace where there are none. */
  readonly podLabels: Readonly<Record<string, string>>;
}

/** actions-runner-controller, once a cluster. */
export interface ControllerSettings {
  /** False where another stack of the cluster has it: then namespace, service account and version say where. */
  readonly manage: boolean;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly version: string;
  readonly replicas: number;
  /** The one namespace that it watches; all of the cluster's when not set. */
  readonly watchNamespace: string | undefined;
  readonly crds: CrdSource;
  /** Leave the CRDs, and with them every scale set of the cluster, when this stack is destroyed. */
  readonly retainCrds: boolean;
  /** Pulumi refuses to delete it before it is unprotected. */
  readonly protect: boolean;
}

const CLUSTER = ["context", "checks", "monitoring", "monitorLabels", "pushgateway"] as const;
const CONTROLLER = [
  "manage",
  "namespace",
  "serviceAccount",
  "version",
  "replicas",
  "watchNamespace",
  "crds",
  "retainCrds",
  "protect",
] as const;

/** The cluster of a stack. Throws a usage error that names the key. */
export function clusterOf(field: Field): ClusterSettings {
  const cluster = section(field, CLUSTER);
  return Object.freeze({
    context: textOf(cluster("context")),
    checks: choiceOf(cluster("checks"), ["ifReachable", "required"] as const, "ifReachable"),
    monitoring: choiceOf(cluster("monitoring"), ["none", "prometheus-operator"] as const, "none"),
    monitorLabels: mapOf(cluster("monitorLabels"), (label) => requiredText(label, "Write the label's value")),
    pushgateway: pushgatewayOf(cluster("pushgateway")),
  });
}

function pushgatewayOf(field: Field): PushgatewaySettings | undefined {
  if (field.value === undefined) return undefined;
  const gateway = section(field, ["namespace", "service", "port", "podLabels"]);
  const port = gateway("port");
  requiredText(gateway("namespace"), "Name the namespace of the Pushgateway");
  return Object.freeze({
    namespace: namespaceOf(gateway("namespace"), ""),
    service: namespaceOf(gateway("service"), "prometheus-pushgateway"),
    port: portOf({ ...port, value: port.value ?? 9091 }),
    podLabels: mapOf(gateway("podLabels"), (label) => requiredText(label, "Write the label's value")),
  });
}

/** The controller of a stack's cluster. Throws a usage error that names the key. */
export function controllerOf(field: Field): ControllerSettings {
  const controller = section(field, CONTROLLER);
  const manage = flagOf(controller("manage"), true);
  if (!manage) {
    const mend = "Say which controller of the cluster this stack uses, as `kubectl get deployments -A` shows it";
    for (const name of ["namespace", "serviceAccount", "version"] as const) requiredText(controller(name), mend);
  }
  const version = textOf(controller("version")) ?? ARC_VERSION;
  requireLockstep(version, at(controller("version")));
  return Object.freeze({
    manage,
    namespace: namespaceOf(controller("namespace"), "arc-systems"),
    serviceAccount: namespaceOf(controller("serviceAccount"), "arc-controller"),
    version,
    replicas: countOf(controller("replicas"), 1) ?? 1,
    watchNamespace: optionalNamespaceOf(controller("watchNamespace")),
    crds: crdSourceOf(controller("crds")),
    retainCrds: flagOf(controller("retainCrds"), false),
    protect: flagOf(controller("protect"), false),
  });
}

/** A field as an error names it. */
export function at(field: Field): string {
  return `${field.file}: ${field.key}`;
}

/** A namespace, or another name that is a DNS label. */
export function namespaceOf(field: Field, otherwise: string): string {
  return optionalNamespaceOf(field) ?? otherwise;
}

function optionalNamespaceOf(field: Field): string | undefined {
  const name = textOf(field);
  if (name !== undefined) requireNamespaceName(name, at(field));
  return name;
}

function crdSourceOf(field: Field): CrdSource {
  const source = textOf(field) ?? "official";
  if (source === "official") return { kind: "official" };
  if (source !== "" && !source.startsWith("http")) return { kind: "path", path: source };
  throw refusal(field, `is ${JSON.stringify(source)}, which is neither official nor a directory`, {
    mend: "Set it to official, or to a directory with the four files of actions-runner-controller's crds/",
  });
}
