import { KilnError } from "../../errors.ts";

/** The controller appends `-<8 hex digits>-listener` and Kubernetes takes 63: the chart's limit, checked at preview. */
const SCALE_SET_NAME_LENGTH = 45;
const NAMESPACE_NAME_LENGTH = 63;

const DNS_LABEL = /^[a-z\d](?:[a-z\d-]*[a-z\d])?$/;

/** The names of what stands beside a scale set: the official chart's, so that people and controller find them. */
export interface CompanionNames {
  readonly manager: string;
  readonly noPermission: string;
  readonly kubeMode: string;
  readonly hookTemplate: string;
}

/** The names of the objects beside the scale set `name`. */
export function companionNames(name: string): CompanionNames {
  const full = `${name}-gha-rs`;
  return {
    manager: `${full}-manager`,
    noPermission: `${full}-no-permission`,
    kubeMode: `${full}-kube-mode`,
    hookTemplate: `${full}-hook-template`,
  };
}

/** Throws a usage error unless `name` can be a scale set's: also what workflows write after `runs-on:`. */
export function requireScaleSetName(name: string, at: string): void {
  requireDnsLabel(name, at, SCALE_SET_NAME_LENGTH, "the controller makes longer names of it");
}

/** Throws a usage error unless `name` can be a namespace's. */
export function requireNamespaceName(name: string, at: string): void {
  requireDnsLabel(name, at, NAMESPACE_NAME_LENGTH, "Kubernetes takes no longer one");
}

/**
 * Throws a usage error where two scale sets have one name. GitHub tells the sets of a runner group apart by name alone: the
 * second would take over the first one's registration.
 */
export function requireDistinctNames(names: readonly string[], at: string): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return;
  throw new KilnError("usage", `${at} has two scale sets named ${JSON.stringify(twice)}`, {
    mend: "Give each scale set a name of its own: jobs ask for it with runs-on",
  });
}

function requireDnsLabel(name: string, at: string, longest: number, why: string): void {
  if (name.length > longest) {
    throw new KilnError(
      "usage",
      `${at} is ${JSON.stringify(name)} of ${name.length} characters, but at most ${longest} fit: ${why}`,
      { mend: "Shorten it" },
    );
  }
  if (DNS_LABEL.test(name)) return;
  throw new KilnError("usage", `${at} is ${JSON.stringify(name)}, which is no name for Kubernetes`, {
    mend: "Use lower-case letters, digits and dashes; the first and the last are no dash",
  });
}
