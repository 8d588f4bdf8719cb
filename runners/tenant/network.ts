import type { TenantSettings } from "../../settings/tenants.ts";
import type { NetworkAccess, NetworkService } from "../namespace/network-policy.ts";
import { givenFields } from "../given-fields.ts";
import type { NamespacePlan } from "./plan.ts";

/** What the runners of one of a tenant's namespaces may connect to, beside their buildkitd and Pushgateway. */
export function networkAccess(
  { proxy }: Pick<TenantSettings, "proxy">,
  { zone: { network } }: Pick<NamespacePlan, "zone">,
  buildkit?: NetworkService,
  pushgateway?: NetworkService,
): NetworkAccess {
  const proxies = [proxy?.http?.url, proxy?.https?.url].filter((url) => url !== undefined);
  return {
    ...network,
    services: { ...network.services, ...givenFields({ buildkitd: buildkit, pushgateway }) },
    proxies: [...new Set(proxies)],
  };
}
