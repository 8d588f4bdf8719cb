import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { KilnError, messageOf } from "../errors.ts";
import { modulePattern, type PatternMatch } from "./pattern.ts";
import { isDirectory, isFile, readGoModuleOf } from "./source-files.ts";

/** A Pulumi Go program of a repository: what the field calls a module, named apart from Go's own modules. */
export interface Program extends PatternMatch {
  /** Relative to the source, with `/`: what errors and reports call the program. */
  readonly directory: string;
  /** The directory of the go.mod that governs it, relative to the source; `.` for the source itself. */
  readonly goModule: string;
}

export interface Programs {
  readonly programs: readonly Program[];
  /** Directories that match the pattern and hold no Go main package. */
  readonly skipped: readonly string[];
}

const NEVER_ENTERED = new Set(["node_modules", "vendor", "testdata"]);

/** Names of the shard and the layer of what providers share, by which nothing else may go. */
export const RESERVED: readonly string[] = ["base", "common", "__proto__"];

/**
 * The Go programs of a repository: directories below `source` that match the pattern and hold a main package, sorted by
 * directory. `providers` narrows them. Throws a usage error when the source or a match is missing.
 */
export async function readPrograms(
  source: string,
  patternText: string,
  providers: readonly string[] = [],
): Promise<Programs> {
  const pattern = modulePattern(patternText);
  const start = path.join(source, pattern.root);
  if (!(await isDirectory(start))) {
    throw new KilnError("usage", `no directory ${pattern.root || "."} below the source ${source}`, {
      mend: "Set --source (or kiln:source.path) to the repository's root and --modules (kiln:source.modules) to a path below it.",
    });
  }

  const matches: (Program & { isMain: boolean })[] = [];
  for await (const directory of walk(source, pattern.root)) {
    const match = pattern.match(directory);
    if (!match || (providers.length > 0 && !providers.includes(match.provider))) continue;
    const isMain = await holdsMainPackage(path.join(source, directory));
    if (isMain && RESERVED.includes(match.provider)) {
      throw new KilnError(
        "usage",
        `${directory} has "${match.provider}" for its provider, a name that kiln itself uses`,
        {
          mend: "Rename that folder, or write a module pattern (or --provider) that leaves it out.",
        },
      );
    }
    matches.push({ ...match, directory, goModule: isMain ? await readGoModuleOf(source, directory) : ".", isMain });
  }
  matches.sort((a, b) => (a.directory < b.directory ? -1 : 1));

  const programs = matches
    .filter((match) => match.isMain)
    .map(({ provider, module, directory, goModule }) => ({ provider, module, directory, goModule }));
  const skipped = matches.filter((match) => !match.isMain).map((match) => match.directory);
  if (programs.length === 0) {
    const of = providers.length > 0 ? ` of provider ${providers.join(", ")}` : "";
    const but = skipped.length > 0 ? ` (${skipped.length} directories match but hold no Go main package)` : "";
    throw new KilnError("usage", `no Go program${of} matches "${patternText}" below ${source}${but}`, {
      mend: "Correct --modules; `npx kiln cache modules` lists what a pattern finds.",
    });
  }
  return { programs, skipped };
}

async function* walk(source: string, relative: string): AsyncGenerator<string> {
  if (relative !== "") yield relative;
  const entries = await readdir(path.join(source, relative), { withFileTypes: true }).catch((cause: unknown) => {
    throw new KilnError("usage", `${relative === "" ? source : relative} cannot be read: ${messageOf(cause)}`, {
      mend: "Let the user who runs kiln read it, or leave it out of the module pattern.",
      cause,
    });
  });
  for (const entry of entries) {
    if (!entry.isDirectory() || entry.name.startsWith(".") || NEVER_ENTERED.has(entry.name)) continue;
    yield* walk(source, relative === "" ? entry.name : `${relative}/${entry.name}`);
  }
}

async function holdsMainPackage(directory: string): Promise<boolean> {
  for (const name of await readdir(directory)) {
    if (!name.endsWith(".go") || name.endsWith("_test.go") || /^[._]/.test(name)) continue;
    if (!(await isFile(path.join(directory, name)))) continue;
    const text = await readFile(path.join(directory, name), "utf8");
    // Beside a library, `ignore` marks a generator of its own: no build takes it in.
    if (packageName(text) === "main" && !/^\/\/go:build ignore\s*$/m.test(text)) return true;
  }
  return false;
}

/** The name in the package clause of a Go file, past comments; undefined where there is none. */
export function packageName(text: string): string | undefined {
  const code = text.replace(/^\uFEFF/, "").replace(/^(?:\s+|\/\/[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*/, "");
  return /^package\s+(\w+)/.exec(code)?.[1];
}
