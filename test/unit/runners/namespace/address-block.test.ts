import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addressBlock, blockOfAddress, blockProblem, contains } from "../../../../runners/namespace/address-block.ts";

describe("blockProblem", () => {
  it.each([
    "0.0.0.0/0",
    "10.0.0.0/8",
    "169.254.169.254/32",
    "::/0",
    "fd00::/8",
    "2001:db8::/32",
    "64:ff9b::169.254.169.254/128",
  ])("takes %s", (text) => {
    expect(blockProblem(text)).toBeUndefined();
  });

  it.each(["", "10.0.0.0", "10.0.0.0/33", "10.0.0/8", "fd00::/129", "fd00::1::/64", "example.com/8", "10.0.0.0/8 "])(
    "refuses %j",
    (text) => {
      expect(blockProblem(text)).toContain("is no network");
    },
  );

  it.each(["::ffff:0:0/96", "::ffff:10.0.0.0/104"])("refuses %s, which API servers take for IPv4", (text) => {
    expect(blockProblem(text)).toContain("is an IPv4 network in the dress of IPv6");
  });

  it.each(["10.0.0.1/8", "fd00::1/64", "255.255.255.255/31"])("refuses %s, which API servers warn about", (text) => {
    expect(blockProblem(text)).toContain("has bits behind its prefix");
  });
});

describe("contains", () => {
  it.each([
    ["0.0.0.0/0", "169.254.169.254/32", true],
    ["169.254.0.0/16", "169.254.169.254/32", true],
    ["169.254.169.254/32", "169.254.0.0/16", false],
    ["10.0.0.0/8", "11.0.0.0/8", false],
    ["10.0.0.0/8", "10.0.0.0/8", true],
    ["::/0", "10.0.0.0/8", false],
    ["fd00::/8", "fd00:ec2::254/128", true],
    ["fd00:ec2::/32", "fd00:ec3::254/128", false],
  ])("%s contains %s: %s", (outer, inner, expected) => {
    expect(contains(addressBlock(outer), addressBlock(inner))).toBe(expected);
  });

  it("agrees with an address that is compared bit by bit", () => {
    const bytes = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255));
    const bits = (address: readonly number[]) => address.map((byte) => byte.toString(2).padStart(8, "0")).join("");
    fc.assert(
      fc.property(bytes, bytes, fc.nat(32), (network, address, prefix) => {
        const masked = network.map(
          (byte, index) => byte & (0xff << Math.min(8, Math.max(0, 8 * (index + 1) - prefix))) & 0xff,
        );
        const outer = addressBlock(`${masked.join(".")}/${prefix}`);
        const inner = addressBlock(blockOfAddress(address.join(".")));
        expect(contains(outer, inner)).toBe(bits(address).startsWith(bits(network).slice(0, prefix)));
      }),
    );
  });
});

it.each([
  ["10.1.2.3", "10.1.2.3/32"],
  ["fd00::1", "fd00::1/128"],
])("gives %s a block of its own", (address, block) => {
  expect(blockOfAddress(address)).toBe(block);
});
