import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { requireScaleSet } from "../runners/scale-set/checks.ts";
import type { Grant, ScaleSetObjects } from "../runners/scale-set/objects.ts";
import { scaleSetObjects } from "../runners/scale-set/objects.ts";
import type { ScaleSetRequest } from "../runners/scale-set/request.ts";
import { scaleSetWarnings } from "../runners/scale-set/warnings.ts";

export interface RunnerScaleSetArgs extends ScaleSetRequest<pulumi.Input<string>> {
  /** The key path under which this set is written, for error messages; the component's name where left out. */
  readonly at?: string;
  /** How long `destroy` waits for running jobs; 30 where left out. */
  readonly deleteTimeoutMinutes?: number;
}

type Objects = ScaleSetObjects<pulumi.Input<string>>;

/**
 * One set of runners that actions-runner-controller scales: the AutoscalingRunnerSet, the account of its pods, and what the
 * controller may do in its namespace. Pass the controller and the namespace (with the credentials) in `dependsOn`: deleting a
 * set needs all of them alive, so they must outlive it (actions-runner-controller #4655).
 */
export class RunnerScaleSet extends pulumi.ComponentResource {
  /** What workflows write after `runs-on:`. */
  readonly scaleSetName: pulumi.Output<string>;
  /** Where its runners run. */
  readonly namespace: pulumi.Output<string>;

  constructor(name: string, args: RunnerScaleSetArgs, opts: pulumi.ComponentResourceOptions = {}) {
    requireScaleSet(args, args.at ?? name);
    super("kiln:runner:RunnerScaleSet", name, args, opts);
    for (const warning of scaleSetWarnings(args)) void pulumi.log.warn(warning, this);
    const objects = scaleSetObjects(args);
    const before = childOptions(this, opts.dependsOn);

    const manager = granted(`${name}-manager`, objects.manager, before);
    const account = serviceAccount(name, objects, before);
    const hooks = objects.hooks === undefined ? [] : granted(`${name}-kube-mode`, objects.hooks, before);
    const template = hookTemplate(`${name}-hook-template`, objects, before);

    const set = new k8s.apiextensions.CustomResource(name, objects.autoscalingRunnerSet, {
      ...pulumi.mergeOptions(before, { dependsOn: [...manager, ...account, ...hooks, ...template] }),
      replaceOnChanges: REPLACED,
      // Its name is fixed. What it stands on is only ever replaced with another name or namespace, and so goes last: the
      // controller needs it to sign the old set off.
      deleteBeforeReplace: true,
      customTimeouts: { delete: `${args.deleteTimeoutMinutes ?? 30}m` },
    });

    this.scaleSetName = set.metadata.name;
    this.namespace = set.metadata.namespace;
    this.registerOutputs({ scaleSetName: this.scaleSetName, namespace: this.namespace });
  }
}

/** GitHub learns these as a set registers, and never again (#4424): changed in place, jobs would go on queueing. */
const REPLACED = ["spec.githubConfigUrl", "spec.runnerScaleSetLabels"];

/** What is registered with this set, and in which order. */
function childOptions(parent: pulumi.Resource, dependsOn: pulumi.CustomResourceOptions["dependsOn"]) {
  return { parent, ...(dependsOn === undefined ? {} : { dependsOn }) };
}

type ChildOptions = ReturnType<typeof childOptions>;

function granted(name: string, { role, roleBinding }: Grant<pulumi.Input<string>>, options: ChildOptions) {
  const made = new k8s.rbac.v1.Role(name, role, options);
  const binding = new k8s.rbac.v1.RoleBinding(name, roleBinding, pulumi.mergeOptions(options, { dependsOn: made }));
  return [made, binding];
}

function serviceAccount(name: string, { serviceAccount: account, hooks }: Objects, options: ChildOptions) {
  if (account === undefined) return [];
  const suffix = hooks === undefined ? "no-permission" : "kube-mode";
  return [new k8s.core.v1.ServiceAccount(`${name}-${suffix}`, account, options)];
}

function hookTemplate(name: string, { hookTemplate: template }: Objects, options: ChildOptions) {
  return template === undefined ? [] : [new k8s.core.v1.ConfigMap(name, template, options)];
}
