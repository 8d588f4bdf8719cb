import { KilnError } from "../../errors.ts";
import { asText, isList, isMap, looselyEqual, type Value, type ValueMap } from "./value.ts";

/** As many jobs as one matrix may have on GitHub. */
const MOST = 256;

/**
 * The combinations of a matrix whose expressions have values, in GitHub's order: every combination of its lists without
 * those that `exclude` names, then what `include` adds to them or beside them. Throws for what is no matrix, and for an
 * empty one, which GitHub refuses too.
 */
export function expandMatrix(matrix: Value, where: string): readonly ValueMap[] {
  if (!isMap(matrix)) throw wrong(where, `is ${matrix === null || matrix === "" ? "empty" : "no map"}`);
  const { include = [], exclude = [], ...lists } = matrix;
  const excluded = mapsOf(exclude, `${where}.exclude`);
  const kept = combinations(lists, where).filter((one) => !excluded.some((wanted) => agrees(one, wanted, wanted)));
  const found = included(kept, mapsOf(include, `${where}.include`), Object.keys(lists));
  if (found.length === 0) throw wrong(where, "has no combination", "The job that makes it found nothing to do.");
  if (found.length > MOST) throw wrong(where, `has ${found.length} combinations, and GitHub takes ${MOST}`);
  return found;
}

/** What people read of a combination behind a job's name: its values. */
export function matrixLabel(combination: ValueMap): string {
  const values = Object.values(combination);
  return values.length === 0
    ? ""
    : ` (${values.map((value) => (isMap(value) || isList(value) ? JSON.stringify(value) : asText(value))).join(", ")})`;
}

function combinations(lists: ValueMap, where: string): readonly ValueMap[] {
  if (Object.keys(lists).length === 0) return [];
  return Object.entries(lists).reduce<readonly ValueMap[]>(
    (before, [name, list]) => {
      if (!isList(list)) throw wrong(`${where}.${name}`, "is no list");
      return before.flatMap((one) => list.map((value) => ({ ...one, [name]: value })));
    },
    [{}],
  );
}

/** An entry joins every combination whose own values it does not change; one that joins none stands by itself. */
function included(
  kept: readonly ValueMap[],
  entries: readonly ValueMap[],
  own: readonly string[],
): readonly ValueMap[] {
  const joined = kept.map((one) => ({ original: one, all: one }));
  const alone: ValueMap[] = [];
  for (const entry of entries) {
    const shared = Object.fromEntries(Object.entries(entry).filter(([name]) => own.includes(name)));
    const fitting = joined.filter(({ original }) => agrees(original, shared, entry));
    if (fitting.length === 0) alone.push(entry);
    for (const one of fitting) one.all = { ...one.all, ...entry };
  }
  return [...joined.map(({ all }) => all), ...alone];
}

function agrees(combination: ValueMap, wanted: ValueMap, whole: ValueMap): boolean {
  return (
    Object.keys(whole).length > 0 &&
    Object.entries(wanted).every(([name, value]) => looselyEqual(combination[name] ?? null, value))
  );
}

function mapsOf(value: Value, where: string): readonly ValueMap[] {
  if (!isList(value) || !value.every(isMap)) throw wrong(where, "is no list of maps");
  return value;
}

function wrong(
  where: string,
  what: string,
  mend = 'See GitHub\'s documentation, "Running variations of jobs".',
): KilnError {
  return new KilnError("usage", `${where} ${what}`, { mend });
}
