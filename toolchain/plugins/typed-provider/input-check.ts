import { isSecret, isUnknown, type Properties } from "../property-values.ts";
import type { Failure } from "../provider-handlers.ts";
import type { Members, Shape } from "./declared-types.ts";

/** Finds the members of an object type by its name. */
export type ObjectTypes = (name: string) => Members | undefined;

/**
 * What is wrong with the inputs of a resource by its SDK's types: a property it does not have, one that it needs and has
 * not, a list or map that is none. Texts, numbers and truth values pass for each other, as official providers let them.
 */
export function inputFailures(inputs: Properties, members: Members, objects: ObjectTypes): readonly Failure[] {
  return objectFailures("", inputs, members, objects);
}

function objectFailures(path: string, value: Properties, members: Members, objects: ObjectTypes): Failure[] {
  const known = Object.keys(members);
  const unknown = Object.keys(value)
    .filter((name) => members[name] === undefined)
    .map((name) => ({ property: under(path, name), reason: `there is no such property: ${known.join(", ")}` }));
  const inside = Object.entries(members).flatMap(([name, { required, shape }]) => {
    const own = value[name];
    const property = under(path, name);
    if (own !== undefined && own !== null) return valueFailures(property, own, shape, objects);
    return required ? [{ property, reason: "it is required, and missing" }] : [];
  });
  return [...unknown, ...inside];
}

function valueFailures(property: string, given: unknown, shape: Shape, objects: ObjectTypes): Failure[] {
  const value = isSecret(given) ? given.value : given;
  if (isUnknown(value) || value === null) return [];
  switch (shape.kind) {
    case "any":
      return [];
    case "list":
      if (!Array.isArray(value)) return [{ property, reason: "it must be a list" }];
      return value.flatMap((item, index) => valueFailures(`${property}[${index}]`, item, shape.of, objects));
    case "map":
      if (!isMap(value)) return [{ property, reason: "it must be a map" }];
      return Object.entries(value).flatMap(([name, item]) =>
        valueFailures(under(property, name), item, shape.of, objects),
      );
    case "object": {
      if (!isMap(value)) return [{ property, reason: "it must be an object" }];
      const members = objects(shape.name);
      return members === undefined ? [] : objectFailures(property, value, members, objects);
    }
    case "text":
    case "number":
    case "flag":
      return typeof value === "object" ? [{ property, reason: `it must be a ${NAMES[shape.kind]}` }] : [];
  }
}

const NAMES = { text: "text", number: "number", flag: "truth value" } as const;

function under(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

function isMap(value: unknown): value is Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
