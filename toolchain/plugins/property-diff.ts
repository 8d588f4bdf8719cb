import { isDeepStrictEqual } from "node:util";
import type { ChangeKind } from "./provider-handlers.ts";
import { isSecret, isUnknown, plainValue, type Properties } from "./property-values.ts";

/**
 * What differs between two states of properties, by path (`rules.update`, `reviewers[0].teams[1]`). A value that only
 * became secret, or ceased to be, differs too: the state would otherwise keep its old mark. Lists of other lengths and
 * values that are still unknown differ as a whole.
 */
export function propertyDiff(before: Properties, after: Properties): Readonly<Record<string, ChangeKind>> {
  return Object.fromEntries(changesOf("", before, after));
}

type Change = readonly [path: string, kind: ChangeKind];

function changesOf(path: string, before: unknown, after: unknown): Change[] {
  if (before === undefined && after === undefined) return [];
  if (before === undefined) return [[path, "add"]];
  if (after === undefined) return [[path, "delete"]];
  if (isSecret(before) || isSecret(after)) return secretChange(path, before, after);
  if (isUnknown(after)) return [[path, "update"]];
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    return after.flatMap((value, index) => changesOf(`${path}[${index}]`, before[index], value));
  }
  if (isMap(before) && isMap(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return names.flatMap((name) => changesOf(pathTo(path, name), before[name], after[name]));
  }
  return isDeepStrictEqual(before, after) ? [] : [[path, "update"]];
}

/** A secret is compared as a whole: a path into it would say something about it. */
function secretChange(path: string, before: unknown, after: unknown): Change[] {
  const same = isSecret(before) === isSecret(after) && isDeepStrictEqual(plainValue(before), plainValue(after));
  return same ? [] : [[path, "update"]];
}

function pathTo(parent: string, name: string): string {
  if (!/^\w+$/.test(name)) return `${parent}[${JSON.stringify(name)}]`;
  return parent === "" ? name : `${parent}.${name}`;
}

function isMap(value: unknown): value is Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
