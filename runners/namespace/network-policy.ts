import { isIP } from "node:net";
import { KilnError } from "../../errors.ts";
import { blockOfAddress } from "./address-block.ts";
import { blockPeer, PRIVATE_NETWORKS, type BlockPeer } from "./forbidden-networks.ts";

/** What runners of a namespace may connect to, beside DNS and port 443 of the internet. */
export interface NetworkAccess {
  /** Port 22 of the internet as well, for modules that are cloned by SSH. */
  readonly ssh: boolean;
  /** Networks of pods, services and nodes that are not private ones: kept out too. Private networks always are. */
  readonly clusterNetworks: readonly string[];
  /** Addresses of the API server, which job hooks of the kubernetes modes talk to. */
  readonly apiServer: readonly string[];
  /** Pods of the cluster that runners need, by name: a module proxy, a buildkitd, a registry. */
  readonly services: Readonly<Record<string, NetworkService>>;
  /** Networks outside the cluster that runners need, by name: a GitHub Enterprise Server, a company's registry. */
  readonly networks?: Readonly<Record<string, PrivateNetwork>>;
  /** Addresses of the proxies that runners use, as URLs. */
  readonly proxies?: readonly string[];
  /** The namespace whose pods collect metrics, and the port that they ask. */
  readonly metrics?: { readonly namespace: string; readonly port: number };
}

export interface NetworkService {
  readonly namespace: string;
  /** Labels of its pods; every pod of the namespace where there are none. */
  readonly podLabels: Readonly<Record<string, string>>;
  /** The port of the pods, which may be another than that of the Service. */
  readonly port: number;
}

export interface PrivateNetwork {
  readonly blocks: readonly string[];
  readonly ports: readonly number[];
}

/** A policy for every pod of a namespace, as `networking.k8s.io/v1` has it. */
export interface NetworkPolicy {
  readonly name: string;
  readonly spec: NetworkPolicySpec;
}

export interface NetworkPolicySpec {
  readonly podSelector: Selector;
  readonly policyTypes: readonly ("Ingress" | "Egress")[];
  readonly ingress?: readonly { readonly from: readonly Peer[]; readonly ports: readonly Port[] }[];
  readonly egress?: readonly { readonly to: readonly Peer[]; readonly ports: readonly Port[] }[];
}

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
}

type Peer = BlockPeer | { readonly namespaceSelector: Selector; readonly podSelector?: Selector };

interface Port {
  readonly protocol: "TCP" | "UDP";
  readonly port: number;
}

/** Where NodeLocal DNSCache answers on every node that has it: kube-dns of the cluster behind another address. */
const NODE_LOCAL_DNS = "169.254.20.10";

/** The API server's ports behind its Service: policies see the address that a connection ends at. */
const API_SERVER_PORTS = [443, 6443];

/**
 * The policies of a namespace of runners: nothing in; out only what `access` names, and never to a metadata address. One
 * policy a purpose, in a fixed order, so that a change of one thing is a diff of one object. Throws a usage error.
 */
export function networkPolicies(access: NetworkAccess, at: string): readonly NetworkPolicy[] {
  const { ssh, clusterNetworks, apiServer, services, networks = {}, proxies = [], metrics } = access;
  return [
    DEFAULT_DENY,
    ALLOW_DNS,
    egress("allow-internet", internet(clusterNetworks, at), tcp(ssh ? [443, 22] : [443])),
    ...(apiServer.length === 0 ? [] : [apiServerPolicy(apiServer, at)]),
    ...(proxies.length === 0 ? [] : [proxyPolicy(proxies, clusterNetworks, at)]),
    ...byName(services, (name, service) => servicePolicy(name, service)),
    ...byName(networks, (name, { blocks, ports }) => {
      requireSome(blocks, `${at}.networks.${name}.blocks`, "every address there is, the metadata service's too");
      requireSome(ports, `${at}.networks.${name}.ports`, "every port");
      const peers = blocks.map((block) => blockPeer(block, `${at}.networks.${name}`));
      return egress(`allow-network-${name}`, peers, tcp(ports));
    }),
    ...(metrics === undefined ? [] : [ingress("allow-metrics", [podsOf(metrics.namespace)], metrics.port)]),
  ];
}

/** To Kubernetes an empty list is no limit at all. */
function requireSome(list: readonly unknown[], at: string, all: string): void {
  if (list.length > 0) return;
  throw new KilnError("usage", `${at} is empty, which Kubernetes takes for ${all}`, {
    mend: "Name what runners need, or remove the network",
  });
}

/** Nothing in, nothing out, for every pod of the namespace: also those that job hooks make, whatever their labels. */
export const DEFAULT_DENY: NetworkPolicy = {
  name: "default-deny",
  spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
};

/** The cluster's DNS, and no other: names are a way out of a namespace too. */
export const ALLOW_DNS: NetworkPolicy = egress(
  "allow-dns",
  [podsOf("kube-system", { "k8s-app": "kube-dns" }), blockPeer(blockOfAddress(NODE_LOCAL_DNS), "DNS")],
  [
    { protocol: "UDP", port: 53 },
    { protocol: "TCP", port: 53 },
  ],
);

/** Every address that is not private, not of the cluster and not a metadata address. */
export function internet(clusterNetworks: readonly string[], at: string): readonly BlockPeer[] {
  const except = [...PRIVATE_NETWORKS, ...clusterNetworks];
  return ["0.0.0.0/0", "::/0"].map((all) => blockPeer(all, `${at}.clusterNetworks`, except));
}

/** A policy that lets pods of other namespaces in, to one port. */
export function ingress(name: string, from: readonly Peer[], port: number): NetworkPolicy {
  return { name, spec: { podSelector: {}, policyTypes: ["Ingress"], ingress: [{ from, ports: tcp([port]) }] } };
}

/** A policy that lets pods out to some peers. */
export function egress(name: string, to: readonly Peer[], ports: readonly Port[]): NetworkPolicy {
  return { name, spec: { podSelector: {}, policyTypes: ["Egress"], egress: [{ to, ports }] } };
}

/** Pods of a namespace: those with all of the labels, or every one. */
export function podsOf(namespace: string, labels: Readonly<Record<string, string>> = {}): Peer {
  return {
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
    ...(Object.keys(labels).length === 0 ? {} : { podSelector: { matchLabels: labels } }),
  };
}

/** Ports of TCP. */
export function tcp(ports: readonly number[]): readonly Port[] {
  return ports.map((port) => ({ protocol: "TCP", port }));
}

function apiServerPolicy(blocks: readonly string[], at: string): NetworkPolicy {
  const peers = blocks.map((block) => blockPeer(block, `${at}.apiServer`));
  return egress("allow-api-server", peers, tcp(API_SERVER_PORTS));
}

function servicePolicy(name: string, { namespace, podLabels, port }: NetworkService): NetworkPolicy {
  return egress(`allow-service-${name}`, [podsOf(namespace, podLabels)], tcp([port]));
}

function proxyPolicy(proxies: readonly string[], clusterNetworks: readonly string[], at: string): NetworkPolicy {
  const rules = proxies.map((address) => {
    const { hostname, port, protocol } = new URL(address);
    const number = port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
    return { to: proxyPeers(hostname, clusterNetworks, at), ports: tcp([number]) };
  });
  return { name: "allow-proxy", spec: { podSelector: {}, policyTypes: ["Egress"], egress: rules } };
}

/**
 * Policies know addresses, not names. A proxy's name can mean any address of a company's networks, so its port is open to
 * all that is neither the cluster's nor a metadata address; a proxy by address, or in the cluster, is the narrow way.
 */
function proxyPeers(hostname: string, clusterNetworks: readonly string[], at: string): readonly Peer[] {
  const address = addressOf(hostname);
  if (address !== undefined) return [blockPeer(blockOfAddress(address), `${at}.proxies`)];
  const namespace = serviceNamespace(hostname);
  if (namespace !== undefined) return [podsOf(namespace)];
  return ["0.0.0.0/0", "::/0"].map((all) => blockPeer(all, `${at}.clusterNetworks`, clusterNetworks));
}

/** Whether a proxy is named in a way that no policy can narrow: its port is then open to private networks too. */
export function isOpenProxy(url: string): boolean {
  const { hostname } = new URL(url);
  return addressOf(hostname) === undefined && serviceNamespace(hostname) === undefined;
}

function addressOf(hostname: string): string | undefined {
  const address = hostname.replace(/^\[|\]$/g, "");
  return isIP(address) === 0 ? undefined : address;
}

/** The namespace in a name such as `proxy.web.svc.cluster.local`. */
function serviceNamespace(hostname: string): string | undefined {
  return /^[^.]+\.([^.]+)\.svc(?:\.|$)/.exec(hostname)?.[1];
}

/** In the order of the names, whatever that of a file is: a reordered file changes nothing. */
function byName<Value, Result>(
  values: Readonly<Record<string, Value>>,
  render: (name: string, value: Value) => Result,
): readonly Result[] {
  return Object.entries(values)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => render(name, value));
}
