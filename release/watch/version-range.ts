import { compareVersions, parseVersion, type Version } from "../version.ts";

/** Versions from one bound to another. */
export interface VersionRange {
  readonly text: string;
  readonly includes: (version: Version) => boolean;
}

const TESTS: Readonly<Record<string, (difference: number) => boolean>> = {
  "": (difference) => difference === 0,
  "=": (difference) => difference === 0,
  ">=": (difference) => difference >= 0,
  "<=": (difference) => difference <= 0,
  ">": (difference) => difference > 0,
  "<": (difference) => difference < 0,
};

/** A range such as `3.251.0` or `>=3.251.0 <3.252.0`, all parts of which have to hold; nothing for another text. */
export function parseVersionRange(text: string): VersionRange | undefined {
  const parts = text.trim().split(/\s+/).map(boundOf);
  if (parts.some((part) => part === undefined)) return undefined;
  const bounds = parts.filter((part) => part !== undefined);
  return { text: text.trim(), includes: (version) => bounds.every((holds) => holds(version)) };
}

function boundOf(text: string): ((version: Version) => boolean) | undefined {
  const [, operator = "", number = ""] = /^([<>]?=?)v?(.+)$/.exec(text) ?? [];
  const [bound, test] = [parseVersion(number), TESTS[operator]];
  if (bound === undefined || test === undefined) return undefined;
  return (version) => test(compareVersions(version, bound));
}
