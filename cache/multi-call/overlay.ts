import { mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { entrySource, mainSource } from "./main-source.ts";
import { packageClause, withPackageName } from "./package-clause.ts";
import type { ReadProgram } from "./program-packages.ts";
import type { ProgramGroup } from "./program-groups.ts";
import type { Stage } from "./stage.ts";

/** The package that a program's files say they are of, once they are no main package any more. */
const PACKAGE = "kilnprogram";

/** What `go build -overlay` is told, and what it builds. */
export interface Overlay {
  /** The JSON file, as commands see it. */
  readonly file: string;
  /** The generated main package, relative to the directory of the go.mod. */
  readonly target: string;
}

/**
 * Writes the overlay under which a group of programs is one main package. Go then reads each program's files where they
 * stand, with another package clause and one file beside them that exports their main: import paths, `internal` folders,
 * embedded files and the lines in stack traces stay the program's own, and the staged source stays as it is.
 */
export async function writeOverlay(
  stage: Stage,
  group: ProgramGroup<ReadProgram>,
  names: ReadonlyMap<string, string>,
): Promise<Overlay> {
  const home = path.posix.join(group.goModule, group.home);
  const folder = await freeName(stage.sourcePath(home), "kiln_multicall", "");
  const replaced: Record<string, string> = {};
  const replace = async (directory: string, name: string, text: string) => {
    const own = path.posix.join("overlay", directory, name);
    await mkdir(path.dirname(path.join(stage.folder, own)), { recursive: true });
    await writeFile(path.join(stage.folder, own), text);
    replaced[path.posix.join(stage.seenSource(directory), name)] = path.posix.join(stage.seenFolder, own);
  };
  const entries = [];
  for (const { program, importPath, files } of group.members) {
    const { directory } = program;
    const entry = freeWord(Object.values(files), "KilnMain");
    for (const [name, text] of Object.entries(files)) {
      const clause = packageClause(text);
      if (clause !== undefined) await replace(directory, name, withPackageName(text, clause, PACKAGE));
    }
    const own = await freeName(stage.sourcePath(directory), "kiln_multicall", ".go");
    await replace(directory, own, entrySource(PACKAGE, entry));
    entries.push({ name: names.get(directory) ?? directory, importPath, entry });
  }
  await replace(path.posix.join(home, folder), "main.go", mainSource(group.debug, entries));
  await writeFile(path.join(stage.folder, "overlay.json"), JSON.stringify({ Replace: replaced }));
  return {
    file: path.posix.join(stage.seenFolder, "overlay.json"),
    target: `./${path.posix.join(group.home, folder)}`,
  };
}

/** A name that nothing in a folder has: the wanted one, else with a number. */
async function freeName(folder: string, stem: string, extension: string): Promise<string> {
  const taken = new Set(await readdir(folder));
  for (let number = 1; ; number += 1) {
    const name = `${stem}${number === 1 ? "" : `_${number}`}${extension}`;
    if (!taken.has(name)) return name;
  }
}

/** A word that occurs in no text. */
function freeWord(texts: readonly string[], stem: string): string {
  for (let number = 1; ; number += 1) {
    const word = `${stem}${number === 1 ? "" : String(number)}`;
    if (!texts.some((text) => text.includes(word))) return word;
  }
}
