import { isMap } from "../../cache/document.ts";
import { KilnError } from "../../errors.ts";
import { severityOf, type Finding, type Severity } from "./finding.ts";

/** What of osv-scanner's JSON is read. A group is one vulnerability under the names that several databases gave it. */
interface OsvReport {
  readonly results?:
    | readonly {
        readonly source: { readonly path: string };
        readonly packages: readonly OsvPackage[];
      }[]
    | null;
}

interface OsvPackage {
  readonly package: {
    readonly name: string;
    readonly os_package_name?: string;
    readonly version: string;
    readonly ecosystem: string;
  };
  readonly vulnerabilities?: readonly OsvVulnerability[];
  readonly groups?: readonly OsvGroup[];
}

interface OsvGroup {
  readonly ids: readonly string[];
  readonly aliases?: readonly string[];
  readonly max_severity?: string;
  readonly experimental_analysis?: Readonly<Record<string, { readonly unimportant?: boolean }>>;
}

interface OsvVulnerability {
  readonly id: string;
  readonly database_specific?: { readonly severity?: unknown };
  readonly affected?: readonly {
    readonly package?: { readonly name?: string; readonly ecosystem?: string };
    readonly ranges?: readonly { readonly events?: readonly { readonly fixed?: string }[] }[];
  }[];
}

/** GitHub's words for a severity, where an advisory has no score. */
const WORDS: Readonly<Record<string, Severity>> = {
  CRITICAL: "critical",
  HIGH: "high",
  MODERATE: "medium",
  MEDIUM: "medium",
  LOW: "low",
};

/**
 * The findings in what osv-scanner prints as JSON, each once: of a library that many programs contain, one that names them all.
 * What Debian calls unimportant, since nobody can use it, is none.
 */
export function findingsOf(text: string): readonly Finding[] {
  const found = new Map<string, Finding>();
  for (const { source, packages } of reportOf(text).results ?? []) {
    for (const { package: own, vulnerabilities = [], groups = [] } of packages) {
      for (const group of groups.filter((one) => !isUnimportant(one))) {
        const records = vulnerabilities.filter(({ id }) => group.ids.includes(id));
        const finding = findingOf(own, group, records, source.path);
        const key = [finding.id, own.ecosystem, own.name, own.version].join("\u0000");
        const before = found.get(key);
        found.set(key, before === undefined ? finding : joined(before, finding));
      }
    }
  }
  return [...found.values()];
}

function reportOf(text: string): OsvReport {
  const mend = "Run the command again with --debug; compare osv-scanner's version with toolchain/pins.json.";
  let report: unknown;
  try {
    report = JSON.parse(text);
  } catch (cause) {
    throw new KilnError("failed", "osv-scanner printed no JSON", { mend, cause });
  }
  // An empty list is an answer, and no list is none.
  if (isMap(report) && "results" in report) return report;
  throw new KilnError("failed", "osv-scanner printed JSON without results", { mend });
}

function findingOf(
  { name, os_package_name: binary, version, ecosystem }: OsvPackage["package"],
  group: OsvGroup,
  records: readonly OsvVulnerability[],
  path: string,
): Finding {
  const names = [...new Set([...group.ids, ...(group.aliases ?? [])])].sort();
  const cves = names.filter((one) => one.startsWith("CVE-"));
  const [first = ""] = cves.length === 1 ? cves : [...group.ids].sort();
  return {
    ...{ id: first, names, package: name, version, ecosystem },
    alsoNamed: binary === undefined || binary === name ? [] : [binary],
    severity: severityIn(group, records),
    fixedIn: [...new Set(records.flatMap((record) => fixesOf(record, name, ecosystem)))],
    where: [path],
  };
}

function severityIn({ max_severity: score }: OsvGroup, records: readonly OsvVulnerability[]): Severity {
  const rated = severityOf(score === undefined || score === "" ? undefined : Number(score));
  if (rated !== "unrated") return rated;
  const words = records.map((record) => WORDS[String(record.database_specific?.severity).toUpperCase()]);
  return (["critical", "high", "medium", "low"] as const).find((word) => words.includes(word)) ?? "unrated";
}

/** The versions that mend a package. A record may be of several releases of a distribution: of another's fix nobody gains. */
function fixesOf({ affected = [] }: OsvVulnerability, name: string, ecosystem: string): readonly string[] {
  return affected
    .filter((one) => one.package?.name === name && one.package.ecosystem === ecosystem)
    .flatMap(({ ranges = [] }) => ranges.flatMap(({ events = [] }) => events.flatMap(({ fixed }) => fixed ?? [])));
}

function isUnimportant({ experimental_analysis: analysis = {} }: OsvGroup): boolean {
  return Object.values(analysis).some(({ unimportant }) => unimportant === true);
}

function joined(one: Finding, other: Finding): Finding {
  const both = (left: readonly string[], right: readonly string[]) => [...new Set([...left, ...right])];
  return {
    ...one,
    names: both(one.names, other.names).sort(),
    alsoNamed: both(one.alsoNamed, other.alsoNamed),
    where: both(one.where, other.where),
  };
}
