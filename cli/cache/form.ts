import { PROGRAM_DELIVERIES, type ProgramDelivery } from "../../cache/program-delivery.ts";
import { STORE_LAYOUTS, type StoreLayout } from "../../cache/store-layout.ts";
import { KilnError } from "../../errors.ts";
import type { Invocation } from "../command.ts";
import { optional } from "../options.ts";

/** Options that decide in what form an image has caches and programs. */
export const FORM = { layout: { type: "string" }, programs: { type: "string" } } as const;

export const FORM_HELP = {
  layout: "packed or loose: caches in packs that a small program serves to Go, or as plain files (default: packed)",
  programs: "cache, binaries or both: what it has of the programs",
} as const;

/** The layout that `--layout` names; packed by default. */
export function layoutOf(values: Invocation["values"]): StoreLayout {
  return chosen(values, "layout", STORE_LAYOUTS) ?? "packed";
}

/** What `--programs` names; nothing where it is not given. */
export function deliveryOf(values: Invocation["values"]): ProgramDelivery | undefined {
  return chosen(values, "programs", PROGRAM_DELIVERIES);
}

function chosen<Choice extends string>(
  values: Invocation["values"],
  option: string,
  choices: readonly Choice[],
): Choice | undefined {
  const text = optional(values, option);
  if (text === undefined) return undefined;
  const choice = choices.find((known) => known === text);
  if (choice !== undefined) return choice;
  throw new KilnError("usage", `--${option} ${text} is none of its values`, {
    mend: `Choose one of: ${choices.join(", ")}.`,
  });
}
