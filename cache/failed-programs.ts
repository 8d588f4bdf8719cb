import path from "node:path";
import { KilnError } from "../errors.ts";
import { withoutUserInfo } from "./go/fault.ts";
import { faultOf, goModuleOf, type ListedPackage } from "./go/list.ts";
import { needsOf } from "./graph.ts";
import type { Program } from "./programs.ts";

/** A program that does not compile or link. */
export interface FailedProgram {
  readonly reason: string;
  /** The Go modules of what it imports, `path@version`. */
  readonly goModules: readonly string[];
}

/** Programs that do not compile, by directory, with the first error in what they import. */
export function failedPrograms(
  packages: readonly ListedPackage[],
  source: string,
  programs: readonly Program[],
): ReadonlyMap<string, FailedProgram> {
  const neededBy = needsOf(packages);
  const byDirectory = new Map(packages.map((entry) => [entry.Dir, entry]));
  const failed = new Map<string, FailedProgram>();
  for (const { directory } of programs) {
    const entry = byDirectory.get(path.join(source, directory));
    if (entry === undefined) continue;
    const needed = neededBy(entry);
    const fault = faultOf(needed.find((candidate) => candidate.Error !== undefined) ?? entry);
    const goModules = needed.flatMap((candidate) => goModuleOf(candidate) ?? []);
    if (fault !== undefined) failed.set(directory, { reason: withoutUserInfo(firstCompilerError(fault)), goModules });
  }
  return failed;
}

/** The first line of a compiler's or linker's output that is an error, without the `# package` heading. */
export function firstCompilerError(text: string): string {
  const lines = text.split("\n").map((line) => line.trim());
  return lines.find((line) => line !== "" && !line.startsWith("#")) ?? text.trim();
}

/** Throws where a failure is the machine's, and no program's: a full disk, or a compiler that was killed for its memory. */
export function requireMachineHeld(reason: string, store: string): void {
  if (reason.includes("no space left on device")) {
    throw new KilnError("failed", `the store ${store} or the folder for temporary files is full: ${reason}`, {
      mend: "Free space (`npx kiln down`, `docker system prune`), or point --store and TMPDIR at a larger disk. What is compiled is kept.",
    });
  }
  if (!/signal: killed|cannot allocate memory|runtime: out of memory/.test(reason)) return;
  throw new KilnError("failed", `this machine has too little memory: ${reason}`, {
    mend: "Give it more memory or a larger runner, or stop what else uses it. What is compiled is kept.",
  });
}
