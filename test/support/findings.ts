import type { Finding } from "../../release/scan/finding.ts";
import type { Acceptance } from "../../release/scan/vex.ts";

export const SCANNED_AT = Date.parse("2026-11-22T12:00:00Z");
const DAY_MS = 86_400_000;

/** A critical vulnerability of Debian's openssl that can be mended, but for what is said otherwise. */
export function finding(change: Partial<Finding> = {}): Finding {
  const id = change.id ?? "CVE-2026-1";
  return {
    ...{ id, names: [id, `DEBIAN-${id}`], package: "openssl", alsoNamed: ["libssl3"], version: "3.0.1" },
    ...{ ecosystem: "Debian:12", severity: "critical", fixedIn: ["3.0.2"], where: ["/var/lib/dpkg/status"] },
    ...change,
  };
}

/** An acceptance of it for the runner image, so many days old, but for what is said otherwise. */
export function acceptance(daysOld: number, change: Partial<Acceptance> = {}): Acceptance {
  return {
    ...{ names: ["CVE-2026-1"], product: { type: "oci", name: "iac-runner" }, packages: [] },
    ...{ reason: "not affected: vulnerable_code_not_present", lookedAt: SCANNED_AT - daysOld * DAY_MS },
    ...change,
  };
}
