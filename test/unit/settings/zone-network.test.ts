import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { networkPolicies } from "../../../runners/namespace/network-policy.ts";
import { networkOf } from "../../../settings/zone-network.ts";

const network = (value: unknown) => networkOf({ file: "f", key: "kiln:n", value });

describe("a zone's network", () => {
  it("is the internet's port 443 where nothing is said", () => {
    expect(network(undefined)).toEqual({ ssh: false, clusterNetworks: [], apiServer: [], services: {}, networks: {} });
  });

  it("says what policies are made of", () => {
    const all = {
      ...{ ssh: true, clusterNetworks: ["100.64.0.0/10"], apiServer: ["10.0.0.1/32", "fd00::1/128"] },
      services: { goproxy: { namespace: "athens", podLabels: { app: "athens" }, port: 3000 } },
      networks: { ghes: { blocks: ["10.9.0.0/16"], ports: [443, 22] } },
    };
    expect(network(all)).toEqual(all);
    expect(networkPolicies(network(all), "at").map(({ name }) => name)).toContain("allow-service-goproxy");
  });

  it("takes a port for what it is", () => {
    fc.assert(
      fc.property(fc.integer({ min: -10, max: 100_000 }), (port) => {
        const read = () => network({ services: { x: { namespace: "n", port } } }).services.x?.port;
        if (port >= 1 && port <= 65_535) expect(read()).toBe(port);
        else expect(read).toThrow("f: kiln:n.services.x.port ");
      }),
    );
  });

  it.each([
    [{ ssh: "22" }, "ssh must be true or false"],
    [{ apiServer: "10.0.0.1/32" }, "apiServer must be a list"],
    [{ apiServer: ["10.0.0.1"] }, 'apiServer[0] is "10.0.0.1", which is no network'],
    [{ clusterNetworks: ["10.0.0.0/8", "pods"] }, 'clusterNetworks[1] is "pods", which is no network'],
    [{ services: { x: { port: 1 } } }, "services.x.namespace is not set"],
    [{ services: { x: { namespace: "n" } } }, "services.x.port is not set"],
    [{ services: { x: { namespace: "n", port: 65_536 } } }, "services.x.port is 65536, which is no port"],
    [{ services: { x: { namespace: "n", port: 1, podLabels: { a: "" } } } }, "services.x.podLabels.a is not set"],
    [{ networks: { x: { blocks: [null] } } }, "networks.x.blocks[0] is not set"],
    [{ networks: { x: { ports: [0] } } }, "networks.x.ports[0] must be a whole number of at least 1"],
  ])("is refused as %j", (value, message) => {
    expect(() => network(value)).toThrow(`f: kiln:n.${message}`);
  });
});
