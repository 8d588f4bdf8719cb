import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KilnError } from "../../../../errors.ts";
import { METADATA_NETWORKS } from "../../../../runners/namespace/forbidden-networks.ts";
import {
  networkPolicies,
  type NetworkAccess,
  type NetworkPolicy,
} from "../../../../runners/namespace/network-policy.ts";
import { reaches } from "../../../support/network-reach.ts";

const NONE: NetworkAccess = { ssh: false, clusterNetworks: [], apiServer: [], services: {} };
const AT = "kiln:tenants.acme.trusted.network";

describe("the metadata addresses", () => {
  const v4Block = fc
    .tuple(fc.constantFrom(0, 10, 100, 168, 169, 192, 255), fc.constantFrom(0, 63, 100, 254), fc.nat(255), fc.nat(32))
    .map(([a, b, c, prefix]) => masked([a, b, c, 254], prefix));
  const block = fc.oneof(
    v4Block,
    fc.constantFrom("::/0", "fd00::/8", "fd00:ec2::/32", "fd20::/12", "fc00::/7", "64:ff9b::/96", "169.254.0.0/16"),
    fc.constantFrom(...METADATA_NETWORKS),
  );
  const port = fc.constantFrom(22, 53, 80, 443, 6443, 32526);
  const access: fc.Arbitrary<NetworkAccess> = fc.record({
    ssh: fc.boolean(),
    clusterNetworks: fc.array(block, { maxLength: 2 }),
    apiServer: fc.array(block, { maxLength: 2 }),
    services: fc.dictionary(
      fc.constantFrom("goproxy", "registry"),
      fc.record({ namespace: fc.constant("x"), podLabels: fc.constant({}), port }),
    ),
    networks: fc.dictionary(
      fc.constantFrom("ghes", "mirror"),
      fc.record({
        blocks: fc.array(block, { minLength: 1, maxLength: 3 }),
        ports: fc.array(port, { minLength: 1, maxLength: 3 }),
      }),
    ),
    proxies: fc.array(
      fc.constantFrom(
        "http://proxy.example:80",
        "http://169.254.169.254",
        "http://[fd00:ec2::254]",
        "http://10.0.0.9:3128",
      ),
      { maxLength: 2 },
    ),
  });
  const addresses = METADATA_NETWORKS.map((network) => network.replace(/\/\d+$/, ""));

  it("are out of reach in every port, whatever is allowed", () => {
    let rendered = 0;
    fc.assert(
      fc.property(access, (wanted) => {
        const policies = unlessRefused(() => networkPolicies(wanted, AT));
        if (policies === undefined) return;
        rendered += 1;
        for (const address of addresses) {
          for (const number of [22, 53, 80, 443, 6443, 32526]) expect(reaches(policies, address, number)).toBe(false);
        }
      }),
      { numRuns: 1000 },
    );
    // Otherwise the property would hold because everything is refused.
    expect(rendered).toBeGreaterThan(50);
  });

  it.each(addresses)("would be found: an evaluator that knows no exception reaches %s", (address) => {
    const [, , internet] = networkPolicies(NONE, AT);
    const careless = JSON.parse(
      JSON.stringify(internet).replace(/"except":\[[^\]]*\]/g, '"except":[]'),
    ) as NetworkPolicy;
    expect(reaches([careless], address, 443)).toBe(true);
  });
});

function unlessRefused<Value>(make: () => Value): Value | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof KilnError && error.kind === "usage") return undefined;
    throw error;
  }
}

function masked(bytes: readonly number[], prefix: number): string {
  const bits = bytes.map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const kept = bits.slice(0, prefix).padEnd(32, "0");
  return `${[0, 8, 16, 24].map((at) => Number.parseInt(kept.slice(at, at + 8), 2)).join(".")}/${prefix}`;
}
