/** `v1.2.3` in numbers; undefined for anything else, pre-releases too. */
function numbersOf(version: string): readonly [number, number, number] | undefined {
  const [, major, minor, patch] = /^v?(\d+)\.(\d+)\.(\d+)$/.exec(version) ?? [];
  return major === undefined ? undefined : [Number(major), Number(minor), Number(patch)];
}

/**
 * The version of another minor that is nearest to `version`: the newest patch of the next minor that there is, or of the one
 * before. Undefined where there is neither.
 */
export function neighbourMinor(version: string, versions: readonly string[]): string | undefined {
  const own = numbersOf(version);
  if (own === undefined) return undefined;
  const others = versions
    .map((name) => ({ name, numbers: numbersOf(name) }))
    .flatMap(({ name, numbers }) => (numbers?.[0] === own[0] ? [{ name, minor: numbers[1], patch: numbers[2] }] : []));
  const minors = others.map(({ minor }) => minor);
  const next = Math.min(...minors.filter((minor) => minor > own[1]));
  const wanted = Number.isFinite(next) ? next : Math.max(...minors.filter((minor) => minor < own[1]));
  return others.filter(({ minor }) => minor === wanted).sort((a, b) => b.patch - a.patch)[0]?.name;
}

/** The patch versions beside one: the next, then the one before, where there is one. */
export function neighbourPatches(version: string): readonly string[] {
  const own = numbersOf(version);
  if (own === undefined) return [];
  const [major, minor, patch] = own;
  return [patch + 1, patch - 1].filter((other) => other >= 0).map((other) => `${major}.${minor}.${other}`);
}
