import { parseVersion, type Version } from "../version.ts";

/** One release, as one source tells of it. */
export interface UpstreamRelease {
  /** As the source writes it: `v3.253.0`, `3.253.0`. */
  readonly name: string;
  /** When it was published, in milliseconds since 1970; nothing where the source does not say. */
  readonly published?: number;
  /** Why nobody is to use it: deprecated, yanked, retracted, unpublished. */
  readonly withdrawn?: string;
  /** Whether the source itself calls it a draft or a pre-release, whatever its name is. */
  readonly unfinished?: boolean;
}

/** What one source says, or why it says nothing. */
export type Reading =
  | { readonly source: string; readonly releases: readonly UpstreamRelease[] }
  | { readonly source: string; readonly fault: string };

/** The kinds of sources that answered: of each, one of its mirrors did. */
export function heard(readings: readonly Reading[]): readonly string[] {
  return [...new Set(readings.flatMap((reading) => ("fault" in reading ? [] : [reading.source])))];
}

/**
 * The kinds of sources of which none answered, in words; nothing where all did. Each may have withdrawn a version: npm deprecates,
 * PyPI yanks, a Go proxy retracts, GitHub takes a release back. What others say is no answer in its place.
 */
export function unheard(readings: readonly Reading[]): string | undefined {
  const answered = heard(readings);
  const silent = new Set(readings.map(({ source }) => source).filter((source) => !answered.includes(source)));
  return silent.size === 0 ? undefined : [...silent].join(" and ");
}

/** What all sources together say of one version. */
export interface UpstreamVersion {
  readonly version: Version;
  /** The sources that know it, in their order. */
  readonly knownTo: readonly string[];
  /** By the sources that say so: when it was published, in milliseconds since 1970. */
  readonly published: ReadonlyMap<string, number>;
  /** `npm: deprecated: …`; nothing where no source withdraws it. */
  readonly withdrawn: string | undefined;
  readonly unfinished: boolean;
}

/** A name that is no version, and who has it. */
export interface Malformed {
  readonly source: string;
  readonly name: string;
}

/** A longer name could be no part of a tag: as a version it would end the whole look where its tag is made. */
const LONGEST_NAME = 100;

/** The version that a release's name says; nothing for a name that is none. PyPI's `1.0.0rc1` counts as `1.0.0-rc.1`. */
export function releasedAs(name: string): Version | undefined {
  if (name.length > LONGEST_NAME) return undefined;
  const text = name.replace(/^v/, "");
  const [, numbers, kind, count] = /^(\d+\.\d+\.\d+)\.?(a|b|rc|dev|post)(\d+)$/.exec(text) ?? [];
  return parseVersion(numbers === undefined ? text : `${numbers}-${kind ?? ""}.${count ?? ""}`);
}

/** Joins what sources say, by version. Pure. */
export function joined(readings: readonly Reading[]): {
  readonly versions: readonly UpstreamVersion[];
  readonly malformed: readonly Malformed[];
} {
  const versions = new Map<string, UpstreamVersion>();
  const malformed = new Map<string, Malformed>();
  for (const reading of readings) {
    if ("fault" in reading) continue;
    for (const release of reading.releases) {
      const version = releasedAs(release.name);
      const name = release.name.slice(0, LONGEST_NAME);
      if (version === undefined) malformed.set(name, { source: reading.source, name });
      else versions.set(version.text, withRelease(versions.get(version.text), version, reading.source, release));
    }
  }
  return { versions: [...versions.values()], malformed: [...malformed.values()] };
}

function withRelease(
  known: UpstreamVersion | undefined,
  version: Version,
  source: string,
  { published, withdrawn, unfinished = false }: UpstreamRelease,
): UpstreamVersion {
  const knownTo = [...new Set([...(known?.knownTo ?? []), source])];
  // Of two names of one version, as `v1.0.0` and `1.0.0`, the later time: a source makes no version older by telling it twice.
  const time = Math.max(published ?? -Infinity, known?.published.get(source) ?? -Infinity);
  return {
    version,
    knownTo,
    published: new Map([...(known?.published ?? []), ...(Number.isFinite(time) ? [[source, time] as const] : [])]),
    withdrawn: known?.withdrawn ?? (withdrawn === undefined ? undefined : `${source}: ${withdrawn}`),
    unfinished: (known?.unfinished ?? false) || unfinished,
  };
}
