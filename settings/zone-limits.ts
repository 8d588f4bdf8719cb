import { givenFields } from "../runners/given-fields.ts";
import type { ContainerLimits } from "../runners/namespace/quota.ts";
import { mapOf, section, type Field } from "./field.ts";
import { scalarOf } from "./kubernetes-values.ts";

const NONE = Object.freeze({});

/**
 * What containers of a zone get that say nothing themselves. Without a word of it no limit: a set that does not say how much
 * memory its jobs take may use that of its nodes. Throws a usage error that names the key.
 */
export function limitsOf(field: Field): ContainerLimits {
  const limits = section(field, ["defaultRequests", "defaultLimits", "max"]);
  const amounts = (name: "defaultRequests" | "defaultLimits" | "max") =>
    limits(name).value === undefined ? undefined : mapOf(limits(name), scalarOf);
  const { defaultLimits = NONE, ...others } = givenFields({
    defaultRequests: amounts("defaultRequests"),
    defaultLimits: amounts("defaultLimits"),
    max: amounts("max"),
  });
  return Object.freeze({ ...others, defaultLimits });
}
