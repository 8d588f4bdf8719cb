import { SEVERITIES, type Finding, type Severity } from "./finding.ts";
import { accepts, isFor, type Acceptance, type ScannedImage } from "./vex.ts";

/** How long an acceptance holds after somebody looked: then it is looked at again, or no longer true. */
export const ACCEPTED_DAYS = 90;

const DAY_MS = 86_400_000;
const FAILING: ReadonlySet<Severity> = new Set(["critical", "high"]);

/** A finding and the acceptance of it that holds, or held once. */
export interface Accepted {
  readonly finding: Finding;
  readonly acceptance: Acceptance;
  /** Until when it holds; milliseconds since 1970. */
  readonly until: number;
}

/** What findings mean. Lists have the worst first. */
export interface Verdict {
  readonly passed: boolean;
  /** Fixable, high or critical, and never accepted. */
  readonly failing: readonly Finding[];
  /** The same, and accepted so long ago that it counts no more: they fail too. */
  readonly expired: readonly Accepted[];
  readonly accepted: readonly Accepted[];
  /** Fixable, but nobody says how bad: they do not fail, and whoever releases shall see them. */
  readonly unrated: readonly Finding[];
  /** Acceptances for this image of which nothing is left to accept. */
  readonly unused: readonly Acceptance[];
  /** What else was found, by severity: too mild, or without a fix. */
  readonly others: Readonly<Partial<Record<Severity, number>>>;
}

/**
 * Decides over an image: it fails for each fixable high or critical finding that no acceptance in force speaks of. `images` are
 * the names by which products of a VEX document may call it, `digest` its own. Pure.
 */
export function verdictOf(
  findings: readonly Finding[],
  acceptances: readonly Acceptance[],
  { now, ...image }: ScannedImage & { readonly now: number },
): Verdict {
  const sorted = findings.toSorted(worstFirst);
  const serious = sorted.filter(isSerious);
  const pairs = serious.map((finding) => {
    const speaking = acceptances.filter((acceptance) => accepts(acceptance, finding, image));
    const [newest] = speaking.toSorted((a, b) => b.lookedAt - a.lookedAt);
    return { finding, speaking, newest };
  });
  const answered = pairs.flatMap(({ finding, newest }) =>
    newest === undefined ? [] : [{ finding, acceptance: newest, until: newest.lookedAt + ACCEPTED_DAYS * DAY_MS }],
  );
  const used = new Set(pairs.flatMap(({ speaking }) => speaking));
  const failing = pairs.filter(({ newest }) => newest === undefined).map(({ finding }) => finding);
  const expired = answered.filter(({ until }) => until <= now);
  const unrated = sorted.filter(({ severity, fixedIn }) => severity === "unrated" && fixedIn.length > 0);
  const counted = sorted.filter((finding) => !isSerious(finding) && !unrated.includes(finding));
  return {
    passed: failing.length + expired.length === 0,
    ...{ failing, expired, unrated },
    accepted: answered.filter(({ until }) => until > now),
    unused: acceptances.filter((acceptance) => isFor(acceptance, image) && !used.has(acceptance)),
    others: Object.fromEntries(
      SEVERITIES.map(
        (severity) => [severity, counted.filter((one) => one.severity === severity).length] as const,
      ).filter(([, count]) => count > 0),
    ),
  };
}

function isSerious({ severity, fixedIn }: Finding): boolean {
  return FAILING.has(severity) && fixedIn.length > 0;
}

function worstFirst(a: Finding, b: Finding): number {
  const rank = SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity);
  if (rank !== 0) return rank;
  const [left, right] = [a, b].map(({ package: name, id }) => `${name}\u0000${id}`);
  return left === right ? 0 : String(left) < String(right) ? -1 : 1;
}
