import { KilnError } from "../../errors.ts";
import type { Finding } from "./finding.ts";
import { parsePackageUrl, type PackageUrl } from "./package-url.ts";

/** A statement of a VEX document that a vulnerability may stay: in which images, in which packages, since when. */
export interface Acceptance {
  readonly names: readonly string[];
  /** The image that it is for: any of that name, or with a version, which is a digest, that one. */
  readonly product: PackageUrl;
  /** The packages that it is for; every package of the image where there are none. */
  readonly packages: readonly PackageUrl[];
  readonly reason: string;
  /** When somebody last looked at it; milliseconds since 1970. */
  readonly lookedAt: number;
}

const STATUSES = ["not_affected", "affected", "fixed", "under_investigation"];

/**
 * The acceptances of an OpenVEX document (openvex.dev, v0.2.0). Whatever accepts has to give a reason: `not_affected` why it is
 * not, `affected` what is done about it, `fixed` nothing; `under_investigation` accepts nothing. Throws a usage error that
 * names the statement, also for one dated in the future: it would never run out.
 */
export function readAcceptances(text: string, file: string, now: number): readonly Acceptance[] {
  const document = record(parsed(text, file), file, "an OpenVEX document");
  const context = document["@context"];
  if (typeof context !== "string" || !/^https:\/\/openvex\.dev\/ns(?:\/|$)/.test(context)) {
    throw wrong(
      file,
      "@context is not https://openvex.dev/ns/v0.2.0",
      "Write an OpenVEX document: docs/vulnerabilities.md.",
    );
  }
  const { statements } = document;
  if (!Array.isArray(statements)) throw wrong(file, "statements is no list", "Write one, if it is empty.");
  return statements.flatMap((value, index) => {
    const at = `${file}: statements[${index}]`;
    return acceptancesOf(record(value, at, "an object"), at, document, now);
  });
}

/** One for each product of a statement: what is a part of one of them is none of another. */
function acceptancesOf(
  statement: Readonly<Record<string, unknown>>,
  at: string,
  document: Readonly<Record<string, unknown>>,
  now: number,
): readonly Acceptance[] {
  const { status } = statement;
  if (!STATUSES.includes(String(status))) {
    throw wrong(at, `status is none of ${STATUSES.join(", ")}`, "Write one of them.");
  }
  if (status === "under_investigation") return [];
  const products = listOf(statement.products, `${at}.products`).map((value, index) =>
    record(value, `${at}.products[${index}]`, "an object"),
  );
  if (products.length === 0) {
    throw wrong(at, "names no product", 'Name the image: "products": [{ "@id": "pkg:oci/iac-runner" }].');
  }
  const lookedAt = dateOf(statement.last_updated ?? statement.timestamp ?? document.timestamp, at, now);
  const common = { names: namesOf(statement.vulnerability, at), reason: reasonOf(statement, at), lookedAt };
  return products.map((product) => ({
    ...common,
    product: urlOf(product, at),
    packages: listOf(product.subcomponents, `${at}.subcomponents`).map((part) =>
      urlOf(record(part, at, "an object"), at),
    ),
  }));
}

/** What an acceptance may call an image by: its names, and its digest where it is known. */
export interface ScannedImage {
  readonly images: readonly string[];
  readonly digest?: string;
}

/** Whether an acceptance speaks of a finding in an image. Pure. */
export function accepts(acceptance: Acceptance, finding: Finding, image: ScannedImage): boolean {
  if (!isFor(acceptance, image) || !acceptance.names.some((name) => finding.names.includes(name))) return false;
  const names = [finding.package, ...finding.alsoNamed];
  return (
    acceptance.packages.length === 0 ||
    acceptance.packages.some(
      ({ name, version }) => names.includes(name) && (version === undefined || version === finding.version),
    )
  );
}

/** Whether an acceptance is for an image at all: a file may hold those of several. One with a digest is for that one alone. */
export function isFor({ product }: Acceptance, { images, digest }: ScannedImage): boolean {
  const { type, name, version } = product;
  return type === "oci" && images.includes(name) && (version === undefined || version === digest);
}

function namesOf(value: unknown, at: string): readonly string[] {
  const { name, aliases = [] } = record(value, `${at}.vulnerability`, 'an object with a "name"');
  const names = [name, ...listOf(aliases, `${at}.vulnerability.aliases`)];
  return names.map((one) => {
    if (typeof one === "string" && one !== "") return one;
    throw wrong(
      `${at}.vulnerability`,
      "has no name, or an alias that is no text",
      'Such as { "name": "CVE-2026-1234" }.',
    );
  });
}

/** The statement's reason. Spec: `not_affected` has a justification or an impact statement, `affected` an action statement. */
function reasonOf(statement: Readonly<Record<string, unknown>>, at: string): string {
  const { status, justification, impact_statement: impact, action_statement: action } = statement;
  const texts = status === "affected" ? [action] : [justification, impact];
  const given = texts.filter((text): text is string => typeof text === "string" && text.trim() !== "");
  if (given.length > 0 || status === "fixed") return [String(status).replaceAll("_", " "), ...given].join(": ");
  const key = status === "affected" ? "action_statement" : "justification or impact_statement";
  throw wrong(at, `accepts without a reason`, `Say why in ${key}.`);
}

function dateOf(value: unknown, at: string, now: number): number {
  const time = typeof value === "string" && /^\d{4}-\d\d-\d\dT/.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(time)) throw wrong(at, "has no date", 'Write when you looked: "timestamp": "2026-11-01T00:00:00Z".');
  // A day, since clocks and time zones differ.
  if (time > now + 86_400_000)
    throw wrong(at, `is dated ${String(value)}, in the future`, "Write when you looked at it.");
  return time;
}

function urlOf(part: Readonly<Record<string, unknown>>, at: string): PackageUrl {
  const { identifiers } = part;
  const purl =
    typeof identifiers === "object" && identifiers !== null && "purl" in identifiers ? identifiers.purl : part["@id"];
  const url = typeof purl === "string" ? parsePackageUrl(purl) : undefined;
  if (url !== undefined) return url;
  throw wrong(
    at,
    `${JSON.stringify(purl ?? null)} is no package URL`,
    "Such as pkg:oci/iac-runner, pkg:deb/debian/openssl, pkg:golang/stdlib.",
  );
}

function parsed(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new KilnError("usage", `${file} is no JSON`, {
      mend: "Mend it: docs/vulnerabilities.md has an example.",
      cause,
    });
  }
}

function listOf(value: unknown, at: string): readonly unknown[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value;
  throw wrong(at, "is no list", "Put it in brackets.");
}

function record(value: unknown, at: string, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw wrong(at, `is not ${what}`, "docs/vulnerabilities.md has an example.");
}

function wrong(at: string, what: string, mend: string): KilnError {
  return new KilnError("usage", `${at} ${what}`, { mend });
}
