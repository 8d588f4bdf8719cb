import type { PushgatewaySettings } from "../../settings/cluster.ts";
import type { NetworkService } from "../namespace/network-policy.ts";
import type { EnvVar, Proxy } from "../scale-set/request.ts";
import type { NamespacePlan, ScaleSetPlan } from "./plan.ts";

/**
 * The Pushgateway for the runners of a namespace: where trusted ones have caches. It asks nobody for a login, so a pull
 * request that reached it could overwrite what bakes say; an untrusted zone therefore never does.
 */
export function pushgatewayOf(
  { zone, sets }: Pick<NamespacePlan, "zone" | "sets">,
  gateway: PushgatewaySettings | undefined,
): PushgatewaySettings | undefined {
  return zone.trust === "trusted" && sets.some(isMeasured) ? gateway : undefined;
}

/** Whether the runners of a set have a cache whose hits are worth telling. */
export function isMeasured({ attachment }: Pick<ScaleSetPlan, "attachment">): boolean {
  return attachment !== undefined;
}

/** The gateway as a network policy knows it. */
export function pushgatewayService({ namespace, podLabels, port }: PushgatewaySettings): NetworkService {
  return { namespace, podLabels, port };
}

/** What tells `kiln cache warm` where its metrics go, and of which scale set they are. */
export function pushgatewayEnv(gateway: PushgatewaySettings, scaleSet: string): readonly EnvVar<string>[] {
  return [
    { name: "KILN_PUSHGATEWAY_URL", value: `http://${hostOf(gateway)}:${gateway.port}` },
    { name: "KILN_SCALE_SET", value: scaleSet },
  ];
}

/** A proxy that is not asked for the gateway, which it could not reach. */
export function besideGateway(proxy: Proxy, gateway: PushgatewaySettings): Proxy {
  return { ...proxy, noProxy: [...new Set([...(proxy.noProxy ?? []), hostOf(gateway)])] };
}

function hostOf({ namespace, service }: PushgatewaySettings): string {
  return `${service}.${namespace}.svc`;
}
