/** How bad a vulnerability is said to be; `unrated` where nobody says. */
export const SEVERITIES = ["critical", "high", "medium", "low", "unrated"] as const;
export type Severity = (typeof SEVERITIES)[number];

/** One vulnerability of one package of an image. */
export interface Finding {
  /** The name by which people look for it: its CVE where it has exactly one, otherwise the database's own. */
  readonly id: string;
  /** All its names, `id` among them. */
  readonly names: readonly string[];
  readonly package: string;
  /** Other names of the package: of a binary package of Debian, where `package` is its source. */
  readonly alsoNamed: readonly string[];
  readonly version: string;
  /** As OSV names it: `Debian:12`, `Go`. */
  readonly ecosystem: string;
  readonly severity: Severity;
  /** Versions that are said to mend it; none where there is no fix. */
  readonly fixedIn: readonly string[];
  /** Files of the image where the package was found. */
  readonly where: readonly string[];
}

/** The rating of a CVSS base score (FIRST, CVSS 3.1 section 5); `unrated` for none. */
export function severityOf(score: number | undefined): Severity {
  if (score === undefined || Number.isNaN(score)) return "unrated";
  if (score >= 9) return "critical";
  if (score >= 7) return "high";
  return score >= 4 ? "medium" : "low";
}
