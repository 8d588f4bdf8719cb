import type { Verification } from "./verify.ts";

const MISSES_SHOWN = 12;

/** A line for each program that did not build from the cache alone. */
export function describeMisses(verification: Verification): string {
  return verification.programs
    .filter(({ compiled, error }) => compiled.length > 0 || error !== undefined)
    .map(({ directory, compiled, error }) => {
      const more =
        compiled.length > MISSES_SHOWN ? ` and ${compiled.length - MISSES_SHOWN} more (--json lists all)` : "";
      const named = compiled.slice(0, MISSES_SHOWN).join(", ");
      const missed = compiled.length > 0 ? `compiled ${compiled.length}: ${named}${more}` : "";
      return `  ${directory}: ${[missed, error].filter((part) => part !== undefined && part !== "").join("; ")}`;
    })
    .join("\n");
}
