import { BlockList, isIPv4 } from "node:net";
import type { NetworkPolicy } from "../../runners/namespace/network-policy.ts";

/** What Kubernetes says of a connection, worked out from its documentation with Node's own list of address blocks. */
export function reaches(policies: readonly NetworkPolicy[], address: string, port: number): boolean {
  const family = isIPv4(address) ? "ipv4" : "ipv6";
  const within = (cidr: string) => {
    const [network = "", prefix] = cidr.split("/");
    const list = new BlockList();
    list.addSubnet(network, Number(prefix), isIPv4(network) ? "ipv4" : "ipv6");
    return isIPv4(network) === isIPv4(address) && list.check(address, family);
  };
  return policies.some(({ spec }) =>
    (spec.egress ?? []).some(
      ({ to, ports }) =>
        ports.some((allowed) => allowed.port === port) &&
        to.some(
          (peer) =>
            "ipBlock" in peer && within(peer.ipBlock.cidr) && !(peer.ipBlock.except ?? []).some((cidr) => within(cidr)),
        ),
    ),
  );
}
