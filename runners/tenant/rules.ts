import { KilnError } from "../../errors.ts";
import type { ControllerSettings } from "../../settings/cluster.ts";
import type { TenantSettings } from "../../settings/tenants.ts";
import type { SetSettings, ZoneSettings } from "../../settings/zone.ts";
import { parseWorkflowReference } from "../github/workflow-reference.ts";
import type { Credentials } from "../namespace/credentials.ts";
import { runsJobsInPods } from "../scale-set/container-mode.ts";
import { requireDistinctNames } from "../scale-set/name.ts";
import { buildkitOf, type NamespacePlan, type TenantPlan } from "./plan.ts";

/**
 * Throws a usage error where plans that are right each by itself are not so together: in one namespace, under one name, or out
 * of the controller's sight. `file` is the stack's.
 */
export function requireTogether(
  plans: Readonly<Record<string, TenantPlan>>,
  controller: Pick<ControllerSettings, "namespace" | "watchNamespace">,
  file: string,
): void {
  const namespaces = Object.values(plans).flatMap((plan) => plan.namespaces);
  const names = namespaces.flatMap(({ sets }) => sets.map(({ name }) => name));
  requireDistinctNames(names, `${file}: kiln:tenants`);
  requireOwnNamespaces(namespaces, [controller.namespace, `${file}: kiln:controller`]);
  requireWatched(namespaces, controller.watchNamespace, `${file}: kiln:controller.watchNamespace`);
}

/** Throws a usage error where zones of one organization share a runner group, or a workflow is none that may be named. */
export function requireOwnGroups(tenants: Readonly<Record<string, TenantSettings>>): void {
  const takenBy = new Map<string, string>();
  for (const { url, trusted, untrusted } of Object.values(tenants)) {
    for (const { at, trust, runnerGroup, workflow } of [trusted, ...(untrusted === undefined ? [] : [untrusted])]) {
      if (workflow !== undefined && trust === "untrusted") {
        throw new KilnError(
          "usage",
          `${at}.workflow restricts an untrusted zone, which pull requests could not use then`,
          {
            mend: "Remove it: what is untrusted is kept apart by its group, namespace and volumes",
          },
        );
      }
      if (workflow !== undefined) parseWorkflowReference(workflow, url.owner, `${at}.workflow`);
      if (runnerGroup === undefined) continue;
      // GitHub tells names apart without their case.
      const group = `${url.host}/${url.owner}/${runnerGroup}`.toLowerCase();
      const other = takenBy.get(group);
      takenBy.set(group, at);
      if (other === undefined) continue;
      throw new KilnError("usage", `${at}.runnerGroup is ${JSON.stringify(runnerGroup)}, and so is that of ${other}`, {
        mend: "Name a group of its own: whoever may use a group may use all runners in it",
      });
    }
  }
}

/** Throws a usage error where jobs that anybody proposes could reach what trusted ones have. */
export function requireUntrustedApart(
  { at, mode, nodeSelector }: SetSettings,
  { trust }: Pick<ZoneSettings, "trust">,
  credentials: Credentials,
): void {
  if (trust === "trusted") return;
  if (runsJobsInPods(mode) && credentials.kind !== "vault") {
    throw new KilnError(
      "usage",
      `${at}.mode is ${mode} in an untrusted zone: its job hooks may read every Secret there, the App's key too`,
      { mend: "Set it to none, or keep the credentials in a vault (credentials: {vault: {…}})" },
    );
  }
  if (mode === "dind" && Object.keys(nodeSelector).length === 0) {
    throw new KilnError(
      "usage",
      `${at}.mode is dind in an untrusted zone: a job there can become root on its node, and reach whatever else runs on it`,
      { mend: `Set ${at}.nodeSelector to nodes that nothing trusted runs on, or set the mode to none` },
    );
  }
}

/** Zones that share a namespace share its Secret, volumes and walls; and those walls would cut the controller off. */
function requireOwnNamespaces(namespaces: readonly NamespacePlan[], controller: readonly [string, string]): void {
  const takenBy = new Map([controller]);
  for (const plan of namespaces) {
    const { at } = plan.zone;
    for (const name of [plan.name, buildkitOf(plan)?.namespace]) {
      if (name === undefined) continue;
      requireOwn(name, at);
      const other = takenBy.get(name);
      takenBy.set(name, at);
      if (other === undefined) continue;
      throw new KilnError("usage", `${at} has the namespace ${JSON.stringify(name)}, and so has ${other}`, {
        mend: `Set ${at}.namespace to a name of its own: what shares a namespace shares its secrets, volumes and walls`,
      });
    }
  }
}

/** A controller that watches one namespace does not see the scale sets of others: their jobs would queue for ever. */
function requireWatched(namespaces: readonly NamespacePlan[], watched: string | undefined, at: string): void {
  if (watched === undefined) return;
  const unseen = namespaces.filter(({ name }) => name !== watched);
  const [first] = unseen;
  if (first === undefined) return;
  const sets = unseen.flatMap(({ name, sets }) => sets.map((set) => `${set.name} in ${name}`));
  throw new KilnError(
    "usage",
    `${at} is ${JSON.stringify(watched)}, so that nobody would serve the scale sets of other namespaces: ${sets.join(", ")}`,
    {
      mend:
        "Remove it: the controller then watches every namespace. Or keep one zone, whose sets all have one mode, " +
        `and set ${namespaces.length === 1 ? `it to ${first.name}` : "it to the zone's namespace"}`,
    },
  );
}

/** Namespaces that Kubernetes has from the start: with walls around them a cluster stops, and `destroy` deletes them. */
function requireOwn(name: string, at: string): void {
  if (name !== "default" && !name.startsWith("kube-")) return;
  throw new KilnError("usage", `${at}.namespace is ${JSON.stringify(name)}, which belongs to the cluster`, {
    mend: "Set it to a name of its own: the stack makes that namespace, and deletes it in the end",
  });
}
