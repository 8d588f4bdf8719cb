/** A version as Semantic Versioning 2.0 writes it, without build metadata: an image tag has no plus sign. */
export interface Version {
  /** `1.2.3-rc.1`, without a v. */
  readonly text: string;
  /** Major, minor, patch: digits, of any length. */
  readonly numbers: readonly [string, string, string];
  /** Identifiers of a pre-release, such as `rc` and `1`; none of a release. */
  readonly prerelease: readonly string[];
}

const NUMBER = /(0|[1-9]\d*)/.source;
const IDENTIFIER = /(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)/.source;
const VERSION = new RegExp(`^${NUMBER}\\.${NUMBER}\\.${NUMBER}(?:-(${IDENTIFIER}(?:\\.${IDENTIFIER})*))?$`);

/** Takes a version apart; nothing for any other text, build metadata included. */
export function parseVersion(text: string): Version | undefined {
  const [, major, minor, patch, prerelease] = VERSION.exec(text) ?? [];
  if (major === undefined || minor === undefined || patch === undefined) return undefined;
  return { text, numbers: [major, minor, patch], prerelease: prerelease?.split(".") ?? [] };
}

/** Compares two versions by their precedence (SemVer 2.0, section 11): negative, zero or positive. */
export function compareVersions(left: Version, right: Version): number {
  for (const [index, number] of left.numbers.entries()) {
    const difference = compareNumbers(number, right.numbers[index] ?? "");
    if (difference !== 0) return difference;
  }
  const [a, b] = [left.prerelease, right.prerelease];
  // A release is above its own pre-releases.
  if (a.length === 0 || b.length === 0) return Number(a.length === 0) - Number(b.length === 0);
  for (const [index, identifier] of a.entries()) {
    const other = b[index];
    if (other === undefined) return 1;
    const difference = compareIdentifiers(identifier, other);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

function compareIdentifiers(left: string, right: string): number {
  const [a, b] = [left, right].map((identifier) => /^\d+$/.test(identifier));
  if (a === true && b === true) return compareNumbers(left, right);
  return a === b ? compareTexts(left, right) : a === true ? -1 : 1;
}

/** Numbers without leading zeros, which may have more digits than a JavaScript number keeps. */
function compareNumbers(left: string, right: string): number {
  return left.length - right.length || compareTexts(left, right);
}

/** By code units: of what versions may have that is the order of ASCII, which SemVer asks for. */
function compareTexts(left: string, right: string): number {
  return left === right ? 0 : left < right ? -1 : 1;
}
