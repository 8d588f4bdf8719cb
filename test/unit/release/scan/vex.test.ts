import { describe, expect, it } from "vitest";
import { readAcceptances } from "../../../../release/scan/vex.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const CONTEXT = "https://openvex.dev/ns/v0.2.0";
const STATEMENT = {
  vulnerability: { name: "CVE-2026-1", aliases: ["GHSA-1"] },
  products: [{ "@id": "pkg:oci/iac-runner", subcomponents: [{ "@id": "pkg:deb/debian/openssl" }] }],
  status: "not_affected",
  justification: "vulnerable_code_not_in_execute_path",
};

const read = (statement: object, document: object = { timestamp: "2026-11-01T00:00:00Z" }) =>
  readAcceptances(JSON.stringify({ "@context": CONTEXT, statements: [statement], ...document }), "a.json", NOW);

describe("readAcceptances", () => {
  it("reads what is accepted, where, why and since when", () => {
    expect(read(STATEMENT)).toEqual([
      {
        names: ["CVE-2026-1", "GHSA-1"],
        product: { type: "oci", name: "iac-runner" },
        packages: [{ type: "deb", name: "openssl" }],
        reason: "not affected: vulnerable_code_not_in_execute_path",
        lookedAt: Date.parse("2026-11-01T00:00:00Z"),
      },
    ]);
  });

  it.each<[string, object, string]>([
    ["the document's", {}, "2026-11-01"],
    ["the statement's", { timestamp: "2026-11-05T00:00:00Z" }, "2026-11-05"],
    ["its last update", { timestamp: "2026-01-05T00:00:00Z", last_updated: "2026-11-09T00:00:00Z" }, "2026-11-09"],
  ])("takes the date that says most: %s", (_, dates, day) => {
    expect(new Date(read({ ...STATEMENT, ...dates })[0]?.lookedAt ?? 0).toISOString()).toContain(day);
  });

  it("accepts nothing that is still looked into, and takes purls as identifiers", () => {
    expect(read({ ...STATEMENT, status: "under_investigation" })).toEqual([]);
    const products = [{ "@id": "https://example.com/runner", identifiers: { purl: "pkg:oci/iac-runner" } }];
    expect(read({ ...STATEMENT, products })[0]?.product).toEqual({ type: "oci", name: "iac-runner" });
  });

  it("leaves each product its own packages", () => {
    const product = (name: string, ...parts: readonly string[]) => ({
      "@id": `pkg:oci/${name}`,
      subcomponents: parts.map((part) => ({ "@id": `pkg:deb/debian/${part}` })),
    });
    const read3 = read({ ...STATEMENT, products: [product("a", "openssl"), product("b", "curl"), product("c")] });
    expect(read3.map(({ product: { name }, packages }) => [name, ...packages.map((part) => part.name)])).toEqual([
      ["a", "openssl"],
      ["b", "curl"],
      ["c"],
    ]);
  });

  it.each<[string, object, RegExp]>([
    ["no known status", { status: "ignored" }, /statements\[0\] status is none of/],
    ["no reason", { justification: " " }, /accepts without a reason/],
    ["a reason of another status", { status: "affected" }, /accepts without a reason/],
    ["no vulnerability", { vulnerability: undefined }, /vulnerability is not an object/],
    ["no name", { vulnerability: { name: "" } }, /has no name/],
    ["no product", { products: [] }, /names no product/],
    ["a product that is none", { products: [{ "@id": "iac-runner" }] }, /"iac-runner" is no package URL/],
    ["a package that is none", { products: [{ "@id": "pkg:oci/a", subcomponents: [{}] }] }, /null is no package URL/],
    ["no date", { timestamp: "yesterday" }, /has no date/],
    ["a date to come", { timestamp: "2099-01-01T00:00:00Z" }, /is dated 2099-01-01T00:00:00Z, in the future/],
  ])("refuses a statement with %s", (_, change, message) => {
    expect(() => read({ ...STATEMENT, ...change })).toThrow(message);
  });

  it("refuses what is no OpenVEX document", () => {
    expect(() => readAcceptances("{", "a.json", NOW)).toThrow("a.json is no JSON");
    expect(() => readAcceptances("[]", "a.json", NOW)).toThrow("a.json is not an OpenVEX document");
    expect(() => read(STATEMENT, { "@context": "https://cyclonedx.org" })).toThrow("@context is not");
    expect(() => read(STATEMENT, { statements: {} })).toThrow("statements is no list");
    expect(() => read(STATEMENT, {})).toThrow("has no date");
  });

  it("takes what needs a reason with one, and a fix without", () => {
    expect(read({ ...STATEMENT, status: "affected", action_statement: "wait for 3.0.3" })[0]?.reason).toBe(
      "affected: wait for 3.0.3",
    );
    expect(read({ ...STATEMENT, status: "fixed", justification: undefined })[0]?.reason).toBe("fixed");
  });
});
