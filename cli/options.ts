import { KilnError } from "../errors.ts";
import type { Invocation } from "./command.ts";

type Values = Invocation["values"];

/** The value of an option that takes one, or undefined. */
export function optional(values: Values, name: string): string | undefined {
  const value = values[name];
  return typeof value === "string" ? value : undefined;
}

/** The value of an option that must be given. Throws a usage error naming it. */
export function required(values: Values, name: string): string {
  const value = optional(values, name);
  if (value !== undefined && value !== "") return value;
  throw new KilnError("usage", `--${name} is missing`, { mend: "See --help." });
}

/** All values of an option that may be repeated. */
export function repeated(values: Values, name: string): readonly string[] {
  const value = values[name];
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
}

/** The one argument that a command takes; `name` is what its help calls it. Throws a usage error on none and on more. */
export function oneArgument([first, ...others]: readonly string[], name: string): string {
  noArguments(others);
  if (first !== undefined && first !== "") return first;
  throw new KilnError("usage", `${name} is missing`, { mend: "See --help." });
}

/** Refuses arguments that a command does not take. */
export function noArguments(positionals: readonly string[]): void {
  const [first] = positionals;
  if (first !== undefined) throw new KilnError("usage", `"${first}" is one argument too many`, { mend: "See --help." });
}
