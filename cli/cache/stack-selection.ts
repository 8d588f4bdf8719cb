import { warmRepository } from "../../registry/repository-names.ts";
import { readStackSettings } from "../../release/stack-file.ts";
import { KilnError } from "../../errors.ts";
import { places } from "../../toolchain/places.ts";
import type { Invocation } from "../command.ts";
import { optional } from "../options.ts";

type Values = Invocation["values"];

/** The option by which a stack's file says what is warmed, instead of options. */
export const STACK = { stack: { type: "string" } } as const;

export const STACK_HELP = {
  stack: "the stack whose file says what is warmed, for which platform and for which repository, instead of options",
} as const;

/**
 * Options with what a stack's file says in their places: source, modules, tags, platform, programs and the repository
 * (`to`). Without `--stack` they are as they were. Throws a usage error where both speak.
 */
export async function withStack(values: Values): Promise<Values> {
  const stack = optional(values, "stack");
  if (stack === undefined) return values;
  const { image, source, registry } = await readStackSettings(places().project, stack);
  const said = {
    source: source.path,
    modules: source.modules,
    platform: image.platform,
    tags: source.tags.join(","),
    programs: image.programs,
    to: warmRepository(registry),
  };
  const stray = Object.keys(said).find((name) => values[name] !== undefined);
  if (stray !== undefined) {
    throw new KilnError("usage", `--${stray} is the stack's file's to say (kiln:image, kiln:source, kiln:registry)`, {
      mend: `Leave out --${stray}, or name everything by options and no --stack.`,
    });
  }
  return { ...values, ...said };
}
