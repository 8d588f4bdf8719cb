import { KilnError } from "../../errors.ts";
import type { Input } from "./trigger.ts";
import { asText, isTruthy, type Value, type ValueMap } from "./value.ts";

/**
 * The `inputs` context of a workflow that others call, or that a person starts: given values in the kinds that are declared,
 * defaults for the others. Refuses what is not declared, not given though required, or of another kind.
 */
export function checkedInputs(declared: Readonly<Record<string, Input>>, given: ValueMap, where: string): ValueMap {
  const stray = Object.keys(given).find((name) => !Object.hasOwn(declared, name));
  if (stray !== undefined) {
    const names = Object.keys(declared).join(", ");
    throw wrong(`${where} takes no input ${stray}`, names === "" ? "It takes none." : `It takes ${names}.`);
  }
  return Object.fromEntries(
    Object.entries(declared).map(([name, input]) => {
      const value = given[name] ?? input.default;
      if (value === undefined && input.required) throw wrong(`${where} needs the input ${name}`, "Give it a value.");
      return [name, value === undefined ? unset(input) : typed(value, input, `${where}: the input ${name}`)];
    }),
  );
}

/** The `inputs` context of a run that a tag starts: what was given. On GitHub a tag gives none, and defaults do not count. */
export function givenInputs(
  declared: Readonly<Record<string, Input>> | undefined,
  given: Readonly<Record<string, string>>,
  where: string,
): ValueMap {
  const known = Object.entries(declared ?? {});
  const strays = Object.keys(given).filter((name) => !Object.hasOwn(declared ?? {}, name));
  // With a stray all that is declared goes in, for the message to name it.
  const asked = strays.length > 0 ? known : known.filter(([name]) => Object.hasOwn(given, name));
  return checkedInputs(Object.fromEntries(asked), given, where);
}

function unset({ type }: Input): Value {
  if (type === "boolean") return false;
  return type === "number" ? 0 : "";
}

function typed(value: Value, { type, options }: Input, what: string): Value {
  if (type === "boolean") {
    if (value === "true" || value === "false") return value === "true";
    if (typeof value === "boolean") return value;
    throw wrong(`${what} is "${asText(value)}"`, "Give true or false.");
  }
  if (type === "number") {
    const number = Number(value);
    if (isTruthy(value) && Number.isNaN(number)) throw wrong(`${what} is "${asText(value)}"`, "Give a number.");
    return number;
  }
  const text = asText(value);
  if (type === "choice" && !options.includes(text))
    throw wrong(`${what} is "${text}"`, `Give one of ${options.join(", ")}.`);
  return text;
}

function wrong(what: string, mend: string): KilnError {
  return new KilnError("usage", what, { mend });
}
