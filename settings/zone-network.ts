import type { NetworkAccess, NetworkService, PrivateNetwork } from "../runners/namespace/network-policy.ts";
import { countOf, flagOf, listOf, mapOf, refusal, requiredText, section, type Field } from "./field.ts";

/** Where a zone's runners may connect to, beside DNS and port 443 of the world outside the cluster: all that a stack says. */
export type NetworkSettings = Required<Omit<NetworkAccess, "proxies" | "metrics">>;

const NETWORK = ["ssh", "clusterNetworks", "apiServer", "services", "networks"] as const;

/** The network of a zone. Throws a usage error that names the key. */
export function networkOf(field: Field): NetworkSettings {
  const network = section(field, NETWORK);
  return Object.freeze({
    ssh: flagOf(network("ssh"), false),
    clusterNetworks: listOf(network("clusterNetworks"), blockOf),
    apiServer: listOf(network("apiServer"), blockOf),
    services: mapOf(network("services"), serviceOf),
    networks: mapOf(network("networks"), privateNetworkOf),
  });
}

function serviceOf(field: Field): NetworkService {
  const service = section(field, ["namespace", "podLabels", "port"]);
  return Object.freeze({
    namespace: requiredText(service("namespace"), "Name the namespace of the service"),
    podLabels: mapOf(service("podLabels"), (label) => requiredText(label, "Write the label's value")),
    port: portOf(service("port")),
  });
}

function privateNetworkOf(field: Field): PrivateNetwork {
  const network = section(field, ["blocks", "ports"]);
  return Object.freeze({ blocks: listOf(network("blocks"), blockOf), ports: listOf(network("ports"), portOf) });
}

/** A port. Throws a usage error. */
export function portOf(field: Field): number {
  const port = countOf(field, 1);
  if (port !== undefined && port <= 65_535) return port;
  throw refusal(field, port === undefined ? "is not set" : `is ${port}, which is no port`, {
    mend: "Set it to a port, 1 to 65535",
  });
}

/** An address block: `10.0.0.0/8`, `fd00::/8`. */
function blockOf(field: Field): string {
  const block = requiredText(field, "Write a network such as 10.0.0.0/8");
  if (/^[0-9a-fA-F.:]+\/\d{1,3}$/.test(block)) return block;
  throw refusal(field, `is ${JSON.stringify(block)}, which is no network`, {
    mend: "Write it as 10.0.0.0/8 or fd00::/8",
  });
}
