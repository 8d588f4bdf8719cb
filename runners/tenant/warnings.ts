import type { TenantSettings } from "../../settings/tenants.ts";
import type { ZoneSettings } from "../../settings/zone.ts";
import { credentialsWarnings } from "../namespace/credentials.ts";
import { isOpenProxy } from "../namespace/network-policy.ts";
import { buildkitOf, type NamespacePlan, type TenantPlan } from "./plan.ts";

/** What a preview says of a plan that is allowed. */
export function planWarnings(
  tenant: Pick<TenantSettings, "name" | "credentials" | "url" | "proxy">,
  { namespaces }: TenantPlan,
): readonly string[] {
  const modes = namespaces.flatMap(({ sets }) => sets.map(({ settings }) => settings.mode));
  const allowed = [
    ...credentialsWarnings(tenant.credentials, tenant.url),
    ...openProxyWarning(tenant, namespaces),
    ...namespaces.flatMap(({ cache }) => cache?.warnings ?? []),
    ...namespaces.flatMap(idleLaneWarning),
    ...[...new Set(namespaces.map(({ zone }) => zone))].flatMap((zone) => unusedBuildkitWarning(zone, namespaces)),
  ];
  if (modes.includes("dind")) return allowed;
  return [
    ...allowed,
    `no scale set of ${tenant.name} has Docker: baking needs none, but \`pulumi up\` assembles images with docker.Image, ` +
      "so run it on a runner of GitHub's, or add a set with mode: dind",
  ];
}

/** Without the cluster's networks named, a proxy's port leads to pods, services and the API server as well. */
function openProxyWarning(
  { name, proxy }: Pick<TenantSettings, "name" | "proxy">,
  namespaces: readonly NamespacePlan[],
): readonly string[] {
  const open = [proxy?.http?.url, proxy?.https?.url].find((url) => url !== undefined && isOpenProxy(url));
  const zones = new Set(namespaces.map(({ zone }) => zone));
  const bare = [...zones].filter(({ network }) => network.clusterNetworks.length === 0).map(({ at }) => at);
  if (open === undefined || bare.length === 0) return [];
  return [
    `the proxy of ${name} has a name, and network policies know addresses alone: its port is open to every private network. ` +
      `Name it by address, or name the networks of pods, services and nodes in ${bare.map((at) => `${at}.network.clusterNetworks`).join(" and ")}`,
  ];
}

/** An idle runner holds its lane's volume, and the collector waits for it. */
function idleLaneWarning({ cache, sets }: NamespacePlan): readonly string[] {
  const idle = sets.find(({ minRunners, attachment }) => minRunners > 0 && attachment?.maxRunners === 1);
  if (idle === undefined || cache?.mode !== "lane" || cache.collections.length === 0) return [];
  return [
    `${idle.settings.at}.minRunners keeps a runner waiting on its lane, whose garbage is then collected only while a job has ` +
      "just ended: set it to 0, or watch how full the volume gets",
  ];
}

function unusedBuildkitWarning(zone: ZoneSettings, namespaces: readonly NamespacePlan[]): readonly string[] {
  if (zone.buildkit === undefined || namespaces.some((plan) => plan.zone === zone && buildkitOf(plan))) return [];
  return [`${zone.at}.buildkit makes nothing: it is for sets with mode: none, and the zone has none`];
}
