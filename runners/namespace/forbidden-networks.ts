import { addressBlock, blockProblem, contains } from "./address-block.ts";
import { KilnError } from "../../errors.ts";

/**
 * Where clouds tell a machine, and whoever runs a job on it, which credentials it has. No policy ever allows one of them:
 * jobs get cloud credentials from GitHub's OIDC, not from their node.
 */
export const METADATA_NETWORKS = [
  // AWS, GCP, Azure, OpenStack, DigitalOcean, Hetzner and others.
  "169.254.169.254/32",
  // ECS tasks and EKS Pod Identity.
  "169.254.170.2/32",
  "169.254.170.23/32",
  // Azure's WireServer: it hands out the extensions' secrets of a machine.
  "168.63.129.16/32",
  "100.100.100.200/32", // Alibaba Cloud
  "192.0.0.192/32", // Oracle Cloud
  "fd00:ec2::254/128", // AWS
  "fd00:ec2::23/128", // EKS Pod Identity
  "fd20:ce::254/128", // GCP
  // The first of them, as a NAT64 of an IPv6-only cluster would write it.
  "64:ff9b::a9fe:a9fe/128",
] as const;

/** What is not the internet: a company's own networks, carrier NAT, link-local and unique local addresses, this machine. */
export const PRIVATE_NETWORKS = [
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "::1/128",
  "fc00::/7",
  "fe80::/10",
] as const;

/** A peer of a network policy that is a block of addresses without some others. */
export interface BlockPeer {
  readonly ipBlock: { readonly cidr: string; readonly except?: readonly string[] };
}

/**
 * A peer for one block, without the metadata addresses in it and without `except`. Throws a usage error that begins with
 * `at` for what is no block, or lies in a metadata address or in `except` as a whole. Every block of a policy comes from here.
 */
export function blockPeer(cidr: string, at: string, except: readonly string[] = []): BlockPeer {
  const outer = requiredBlock(cidr, at);
  const forbidden = [...new Set([...METADATA_NETWORKS, ...except])].map((text) => requiredBlock(text, at));
  const around = forbidden.find((inner) => contains(inner, outer));
  if (around !== undefined) throw nothingLeft(cidr, around.text, at);
  const inside = forbidden.filter((inner) => contains(outer, inner)).map(({ text }) => text);
  return { ipBlock: { cidr, ...(inside.length === 0 ? {} : { except: inside }) } };
}

function requiredBlock(text: string, at: string) {
  const problem = blockProblem(text);
  if (problem === undefined) return addressBlock(text);
  throw new KilnError("usage", `${at} is ${JSON.stringify(text)}, which ${problem}`, {
    mend: "Write the networks of the cluster and of its services, such as 10.0.0.0/8",
  });
}

function nothingLeft(cidr: string, around: string, at: string): KilnError {
  if (METADATA_NETWORKS.some((network) => network === around)) {
    return new KilnError("usage", `${at} is ${cidr}, but runners must never reach ${around}`, {
      mend: "Remove it: a cloud's metadata address gives a job the credentials of its node",
    });
  }
  return new KilnError("usage", `${at} keeps out ${around}, and with it all of ${cidr}`, {
    mend: "Name the networks of the cluster alone: its pods, services and nodes",
  });
}
