import path from "node:path";
import type { Progress } from "../progress.ts";
import type { FailedProgram } from "./failed-programs.ts";
import type { GoMounts } from "./go/command.ts";
import { withoutUserInfo } from "./go/fault.ts";
import { downloadModules, listRequiredModules } from "./go/list.ts";
import type { GoModuleNeeds } from "./plan.ts";

/** Attempts at modules that no build reads: one that stays away makes every bake of these inputs a new one. */
const SPARE_ATTEMPTS = 3;

export interface SpareModules {
  /** Modules that were had, `path@version`, by the directory of the go.mod that requires them. */
  readonly fetched: ReadonlyMap<string, readonly string[]>;
  /** Those that were not, with the reason. */
  readonly missing: ReadonlyMap<string, string>;
}

/**
 * Fetches what go.mod files require and no program compiles, with the version data of all that they require: Pulumi asks Go
 * for both before it runs a program. What cannot be had is noted, and is no failure: no build reads it.
 */
export async function fetchSpareModules(
  mounts: GoMounts,
  goModules: Readonly<Record<string, GoModuleNeeds>>,
  wanted: Iterable<string>,
  source: string,
  progress: Progress,
): Promise<SpareModules> {
  const fetched = new Map<string, readonly string[]>();
  const missing = new Map<string, string>();
  for (const goModule of new Set(wanted)) {
    const { spare = [] } = goModules[goModule] ?? {};
    const cwd = path.join(source, goModule);
    await listRequiredModules(mounts, cwd);
    let missed: ReadonlyMap<string, string> = new Map(spare.map((module) => [module, ""]));
    for (let attempt = 0; attempt < SPARE_ATTEMPTS && missed.size > 0; attempt += 1) {
      missed = await downloadModules(mounts, [...missed.keys()], { cwd });
    }
    fetched.set(
      goModule,
      spare.filter((name) => !missed.has(name)),
    );
    for (const [module, said] of missed) {
      const reason = withoutUserInfo(said);
      if (!missing.has(module)) progress.note(`${module} is left out, Pulumi will look for it: ${reason}`);
      missing.set(module, reason);
    }
  }
  return { fetched, missing };
}

/** What only programs that failed import of what go.mod files require: Pulumi asks Go for it all the same. */
export function leftByFailed(
  required: ReadonlySet<string>,
  failed: ReadonlyMap<string, FailedProgram>,
): readonly string[] {
  return [...failed.values()].flatMap(({ goModules }) => goModules).filter((module) => required.has(module));
}
