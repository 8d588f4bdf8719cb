import { describe, expect, it } from "vitest";
import { findingsOf } from "../../../../release/scan/osv-report.ts";
import { missingEcosystems } from "../../../../release/scan/scanner.ts";

/** What osv-scanner 2.4.0 prints of one package with one vulnerability. */
function report(change: { group?: object; record?: object; own?: object; paths?: readonly string[] } = {}): string {
  const own = { name: "openssl", os_package_name: "libssl3", version: "3.0.1", ecosystem: "Debian:12", ...change.own };
  const group = { ids: ["DEBIAN-CVE-2026-1"], aliases: ["CVE-2026-1", "DEBIAN-CVE-2026-1"], max_severity: "9.8" };
  const range = (fixed: string) => [{ type: "ECOSYSTEM", events: [{ introduced: "0" }, { fixed }] }];
  const record = {
    id: "DEBIAN-CVE-2026-1",
    affected: [
      { package: { name: "openssl", ecosystem: "Debian:12" }, ranges: range("3.0.2") },
      { package: { name: "openssl", ecosystem: "Debian:13" }, ranges: range("3.5.1") },
    ],
    ...change.record,
  };
  const packages = [{ package: own, groups: [{ ...group, ...change.group }], vulnerabilities: [record] }];
  const paths = change.paths ?? ["/var/lib/dpkg/status"];
  return JSON.stringify({ results: paths.map((path) => ({ source: { path, type: "os" }, packages })) });
}

describe("findingsOf", () => {
  it("gives a vulnerability under its CVE, with the fix of this release alone", () => {
    expect(findingsOf(report())).toEqual([
      {
        ...{ id: "CVE-2026-1", names: ["CVE-2026-1", "DEBIAN-CVE-2026-1"], package: "openssl", alsoNamed: ["libssl3"] },
        ...{ version: "3.0.1", ecosystem: "Debian:12", severity: "critical", fixedIn: ["3.0.2"] },
        where: ["/var/lib/dpkg/status"],
      },
    ]);
  });

  it("names an advisory of several CVEs by itself", () => {
    const group = { ids: ["DSA-1"], aliases: ["CVE-1", "CVE-2", "DSA-1"] };
    expect(findingsOf(report({ group, record: { id: "DSA-1" } }))).toMatchObject([{ id: "DSA-1" }]);
  });

  it("knows that nothing mends what only another release has mended", () => {
    expect(findingsOf(report({ own: { ecosystem: "Debian:11" } }))).toMatchObject([{ fixedIn: [] }]);
  });

  it.each([
    ["its score", { max_severity: "7.5" }, {}, "high"],
    ["GitHub's word", { max_severity: "" }, { database_specific: { severity: "MODERATE" } }, "medium"],
    ["nothing", { max_severity: "" }, {}, "unrated"],
    ["an unknown word", { max_severity: "" }, { database_specific: { severity: 5 } }, "unrated"],
  ])("rates by %s", (_, group, record, severity) => {
    expect(findingsOf(report({ group, record }))).toMatchObject([{ severity }]);
  });

  it("names a library of many programs once, with all of them", () => {
    expect(findingsOf(report({ paths: ["/bin/a", "/bin/b", "/bin/a"] }))).toMatchObject([
      { where: ["/bin/a", "/bin/b"] },
    ]);
  });

  it("leaves out what Debian calls unimportant", () => {
    const group = { experimental_analysis: { "DEBIAN-CVE-2026-1": { called: true, unimportant: true } } };
    expect(findingsOf(report({ group }))).toEqual([]);
  });

  it("finds nothing in a report without results, and refuses what is none", () => {
    expect(findingsOf('{"results":[]}')).toEqual([]);
    expect(findingsOf('{"results":null}')).toEqual([]);
    for (const text of ["{}", "null", "[]"]) expect(() => findingsOf(text)).toThrow("JSON without results");
    expect(() => findingsOf("Scanned")).toThrow("osv-scanner printed no JSON");
  });
});

describe("missingEcosystems", () => {
  it("tells for what osv-scanner has no database, of which it says nothing else", () => {
    const why = "unable to fetch OSV database: no offline version of the OSV database is available";
    const said = ["Go", "Debian", "Go"].map((name) => `could not load db for ${name} ecosystem: ${why}`);
    expect(missingEcosystems(said.join("\n"))).toEqual(["Debian", "Go"]);
    expect(missingEcosystems("Scanning local image tarball")).toEqual([]);
  });
});
