import { describe, expect, it } from "vitest";
import {
  networkPolicies,
  type NetworkAccess,
  type NetworkPolicy,
} from "../../../../runners/namespace/network-policy.ts";
import { reaches } from "../../../support/network-reach.ts";

const NONE: NetworkAccess = { ssh: false, clusterNetworks: [], apiServer: [], services: {} };
const AT = "stacks/Pulumi.dev.yaml: kiln:tenants.acme.trusted.network";

function policiesOf(access: Partial<NetworkAccess>): readonly NetworkPolicy[] {
  return networkPolicies({ ...NONE, ...access }, AT);
}

describe("the policies of a namespace", () => {
  it("let nothing in, and out only DNS and port 443, where nothing is asked for", () => {
    const policies = policiesOf({});
    expect(policies.map(({ name }) => name)).toEqual(["default-deny", "allow-dns", "allow-internet"]);
    expect(policies[0]?.spec).toEqual({ podSelector: {}, policyTypes: ["Ingress", "Egress"] });
    expect(policies.every(({ spec }) => Object.keys(spec.podSelector).length === 0)).toBe(true);
    expect(policies.flatMap(({ spec }) => spec.ingress ?? [])).toEqual([]);
    expect(reaches(policies, "140.82.112.3", 443)).toBe(true);
    expect(reaches(policies, "140.82.112.3", 22)).toBe(false);
    expect(reaches(policies, "140.82.112.3", 80)).toBe(false);
    expect(reaches(policies, "2606:50c0:8000::153", 443)).toBe(true);
  });

  it.each([
    "10.0.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.1.1",
    "fd12::1",
    "fe80::1",
    "127.0.0.1",
  ])("keep the private address %s out", (address) => {
    expect(reaches(policiesOf({ ssh: true }), address, 443)).toBe(false);
  });

  it("keep public networks of the cluster out where they are named", () => {
    expect(reaches(policiesOf({}), "240.1.2.3", 443)).toBe(true);
    expect(reaches(policiesOf({ clusterNetworks: ["240.0.0.0/8"] }), "240.1.2.3", 443)).toBe(false);
  });

  it("open port 22 of the internet where it is asked for", () => {
    const policies = policiesOf({ ssh: true });
    expect(reaches(policies, "140.82.112.3", 22)).toBe(true);
    expect(reaches(policies, "10.0.0.1", 22)).toBe(false);
  });

  it("let runners to a named service of the cluster, by its pods and their port", () => {
    const services = { goproxy: { namespace: "athens", podLabels: { app: "athens" }, port: 3000 } };
    expect(policiesOf({ services }).at(-1)).toEqual({
      name: "allow-service-goproxy",
      spec: {
        podSelector: {},
        policyTypes: ["Egress"],
        egress: [
          {
            to: [
              {
                namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "athens" } },
                podSelector: { matchLabels: { app: "athens" } },
              },
            ],
            ports: [{ protocol: "TCP", port: 3000 }],
          },
        ],
      },
    });
  });

  it("let runners to the API server and to a named private network", () => {
    const policies = policiesOf({
      apiServer: ["10.0.0.1/32"],
      networks: { ghes: { blocks: ["10.9.0.0/16"], ports: [443] } },
    });
    expect(policies.map(({ name }) => name).slice(3)).toEqual(["allow-api-server", "allow-network-ghes"]);
    expect(reaches(policies, "10.0.0.1", 6443)).toBe(true);
    expect(reaches(policies, "10.0.0.2", 443)).toBe(false);
    expect(reaches(policies, "10.9.1.1", 443)).toBe(true);
    expect(reaches(policies, "10.9.1.1", 22)).toBe(false);
  });

  it.each([
    ["http://10.3.2.1:3128", "10.3.2.1", 3128],
    ["http://10.3.2.1", "10.3.2.1", 80],
    ["https://[fd00::7]", "fd00::7", 443],
    ["http://proxy.corp.example:8080", "10.200.0.9", 8080],
  ])("let runners to the proxy %s", (proxy, address, port) => {
    const policies = policiesOf({ proxies: [proxy], clusterNetworks: ["10.96.0.0/12"] });
    expect(reaches(policies, address, port)).toBe(true);
    expect(reaches(policies, address, port + 1)).toBe(false);
    expect(reaches(policies, "10.96.0.1", port)).toBe(false);
  });

  it("let runners to a proxy of the cluster by its namespace", () => {
    const proxy = policiesOf({ proxies: ["http://squid.egress.svc.cluster.local:3128"] }).find(
      ({ name }) => name === "allow-proxy",
    );
    expect(proxy?.spec.egress).toEqual([
      {
        to: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "egress" } } }],
        ports: [{ protocol: "TCP", port: 3128 }],
      },
    ]);
  });

  it("let in who collects metrics, and nobody else", () => {
    const policies = policiesOf({ metrics: { namespace: "monitoring", port: 8080 } });
    expect(policies.flatMap(({ spec }) => spec.ingress ?? [])).toEqual([
      {
        from: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } } }],
        ports: [{ protocol: "TCP", port: 8080 }],
      },
    ]);
  });

  it("stand in the order of their names, whatever that of the file is", () => {
    const service = { namespace: "a", podLabels: {}, port: 1 };
    const names = (services: NetworkAccess["services"]) => policiesOf({ services }).map(({ name }) => name);
    expect(names({ b: service, a: service })).toEqual(names({ a: service, b: service }));
  });
});

describe("what is refused", () => {
  it.each([
    [{ clusterNetworks: ["10.0.0.0"] }, `${AT}.clusterNetworks is "10.0.0.0", which is no network`],
    [{ clusterNetworks: ["0.0.0.0/0"] }, `${AT}.clusterNetworks keeps out 0.0.0.0/0, and with it all of 0.0.0.0/0`],
    [{ apiServer: ["169.254.169.254/32"] }, `${AT}.apiServer is 169.254.169.254/32, but runners must never reach`],
    [{ apiServer: ["10.0.0.1/8"] }, "has bits behind its prefix"],
    [{ networks: { x: { blocks: ["fd00:ec2::254/128"], ports: [80] } } }, `${AT}.networks.x is fd00:ec2::254/128`],
    [
      { networks: { x: { blocks: [], ports: [80] } } },
      `${AT}.networks.x.blocks is empty, which Kubernetes takes for every`,
    ],
    [{ networks: { x: { blocks: ["10.9.0.0/16"], ports: [] } } }, `${AT}.networks.x.ports is empty, which Kubernetes`],
    [{ proxies: ["http://169.254.169.254:80"] }, `${AT}.proxies is 169.254.169.254/32`],
  ] satisfies [Partial<NetworkAccess>, string][])("%j", (access, message) => {
    expect(() => policiesOf(access)).toThrow(message);
  });
});
