import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SEVERITIES, severityOf, type Finding } from "../../../../release/scan/finding.ts";
import { ACCEPTED_DAYS, verdictOf } from "../../../../release/scan/verdict.ts";
import type { Acceptance } from "../../../../release/scan/vex.ts";
import { acceptance, finding, SCANNED_AT } from "../../../support/findings.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;
const verdict = (findings: readonly Finding[], acceptances: readonly Acceptance[] = []) =>
  verdictOf(findings, acceptances, { images: ["iac-runner-warm", "iac-runner"], digest: DIGEST, now: SCANNED_AT });

describe("severityOf", () => {
  it.each([
    [undefined, "unrated"],
    [Number.NaN, "unrated"],
    [0, "low"],
    [3.9, "low"],
    [4, "medium"],
    [6.9, "medium"],
    [7, "high"],
    [8.9, "high"],
    [9, "critical"],
    [10, "critical"],
  ] as const)("%s is %s", (score, severity) => {
    expect(severityOf(score)).toBe(severity);
  });
});

describe("a finding", () => {
  it.each<[string, Partial<Finding>, boolean]>([
    ["critical and fixable", {}, false],
    ["high and fixable", { severity: "high" }, false],
    ["medium", { severity: "medium" }, true],
    ["low", { severity: "low" }, true],
    ["unrated", { severity: "unrated" }, true],
    ["critical without a fix", { fixedIn: [] }, true],
  ])("that is %s passes or fails", (_, change, passes) => {
    expect(verdict([finding(change)]).passed).toBe(passes);
  });

  it("that is unrated and fixable is shown, and the others are counted", () => {
    const found = verdict([
      finding({ id: "CVE-1", severity: "unrated" }),
      finding({ id: "CVE-2", severity: "unrated", fixedIn: [] }),
      finding({ id: "CVE-3", severity: "high", fixedIn: [] }),
      finding({ id: "CVE-4", severity: "low" }),
    ]);
    expect(found.unrated.map(({ id }) => id)).toEqual(["CVE-1"]);
    expect(found.others).toEqual({ high: 1, low: 1, unrated: 1 });
  });

  it("that is worse comes first", () => {
    const found = verdict([
      finding({ id: "CVE-2", severity: "high" }),
      finding({ id: "CVE-3" }),
      finding({ id: "CVE-1" }),
    ]);
    expect(found.failing.map(({ id }) => id)).toEqual(["CVE-1", "CVE-3", "CVE-2"]);
  });
});

describe("an acceptance", () => {
  const RUNNER = { type: "oci", name: "iac-runner" };
  const deb = (name: string, version?: string) => ({ type: "deb", name, ...(version !== undefined && { version }) });

  it.each<[string, Acceptance, "accepted" | "failing" | "expired"]>([
    ["of today", acceptance(0), "accepted"],
    ["of the last day that counts", acceptance(ACCEPTED_DAYS - 0.01), "accepted"],
    ["that ran out", acceptance(ACCEPTED_DAYS), "expired"],
    ["by another name of it", acceptance(1, { names: ["DEBIAN-CVE-2026-1"] }), "accepted"],
    ["of another vulnerability", acceptance(1, { names: ["CVE-2026-10"] }), "failing"],
    ["for the warm image alone", acceptance(1, { product: { type: "oci", name: "iac-runner-warm" } }), "accepted"],
    ["for another image", acceptance(1, { product: { type: "oci", name: "actions-runner" } }), "failing"],
    ["for this digest", acceptance(1, { product: { ...RUNNER, version: DIGEST } }), "accepted"],
    ["for another digest", acceptance(1, { product: { ...RUNNER, version: DIGEST.replace("a", "b") } }), "failing"],
    ["for a package of the image's name", acceptance(1, { product: deb("iac-runner") }), "failing"],
    ["in its package", acceptance(1, { packages: [deb("openssl")] }), "accepted"],
    ["in its binary package", acceptance(1, { packages: [deb("libssl3")] }), "accepted"],
    ["in this version", acceptance(1, { packages: [deb("openssl", "3.0.1")] }), "accepted"],
    ["in another version", acceptance(1, { packages: [deb("openssl", "3.0.0")] }), "failing"],
    ["in another package", acceptance(1, { packages: [deb("curl")] }), "failing"],
  ])("%s", (_, accepted, where) => {
    const found = verdict([finding()], [accepted]);
    const sizes = { accepted: found.accepted.length, failing: found.failing.length, expired: found.expired.length };
    expect(sizes).toEqual({ accepted: 0, failing: 0, expired: 0, [where]: 1 });
    expect(found.passed).toBe(where === "accepted");
  });

  it("that was renewed counts by its newest date", () => {
    const found = verdict([finding()], [acceptance(200), acceptance(1)]);
    expect([found.passed, found.expired, found.unused]).toEqual([true, [], []]);
  });

  it("of which nothing is left to accept is named, where it is for this image", () => {
    const [idle, elsewhere] = [
      acceptance(1, { names: ["CVE-2020-1"] }),
      acceptance(1, { names: ["CVE-2020-2"], product: { type: "oci", name: "actions-runner" } }),
    ];
    expect(verdict([finding({ severity: "low" })], [idle, elsewhere, acceptance(1)])).toMatchObject({
      passed: true,
      unused: [idle, acceptance(1)],
    });
  });
});

describe("any verdict", () => {
  const findings = fc.array(
    fc.record({
      id: fc.constantFrom("CVE-1", "CVE-2", "CVE-3"),
      package: fc.constantFrom("openssl", "curl"),
      severity: fc.constantFrom(...SEVERITIES),
      fixedIn: fc.constantFrom<readonly string[]>([], ["2"]),
    }),
  );
  const acceptances = fc.array(
    fc.record({ days: fc.integer({ min: 0, max: 200 }), name: fc.constantFrom("CVE-1", "CVE-2", "CVE-4") }),
  );

  it("puts each finding in one place, and passes exactly where none fails", () => {
    fc.assert(
      fc.property(findings, acceptances, (found, accepted) => {
        const all = found.map((one) => finding(one));
        const {
          failing,
          expired,
          accepted: taken,
          unrated,
          others,
          passed,
        } = verdict(
          all,
          accepted.map(({ days, name }) => acceptance(days, { names: [name] })),
        );
        const rest = Object.values(others).reduce((sum, count) => sum + count, 0);
        expect(failing.length + expired.length + taken.length + unrated.length + rest).toBe(all.length);
        expect(passed).toBe(failing.length + expired.length === 0);
      }),
    );
  });
});
