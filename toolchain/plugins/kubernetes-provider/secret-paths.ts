import { isSecret, secret, type Properties } from "../property-values.ts";

/** Keys and indexes that lead to a value. */
export type ValuePath = readonly (string | number)[];

/** Where a value is marked as secret, the outermost marks only. */
export function secretPaths(value: unknown, at: ValuePath = []): readonly ValuePath[] {
  if (isSecret(value)) return [at];
  if (Array.isArray(value)) return value.flatMap((inner, index) => secretPaths(inner, [...at, index]));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => secretPaths(inner, [...at, key]));
}

/** The value with a mark at each path that it has. */
export function marked(value: unknown, paths: readonly ValuePath[]): unknown {
  if (paths.some((path) => path.length === 0)) return secret(value);
  const below = (key: string | number) => paths.filter(([first]) => first === key).map(([, ...rest]) => rest);
  if (Array.isArray(value)) return value.map((inner, index) => marked(inner, below(index)));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, marked(inner, below(key))]));
}

/** Whether a value is an object with keys, not a list. */
export function isObject(value: unknown): value is Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
