import { readFile } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../../errors.ts";
import { lastLines } from "../../toolchain/process.ts";
import { IMAGE_PATHS, type BuildContract } from "../contract.ts";
import { parseJsonStream, type ListedPackage } from "../go/list.ts";
import { packageArguments } from "../graph.ts";
import type { Program } from "../programs.ts";
import { packageClause } from "./package-clause.ts";
import type { ProgramPackage } from "./program-groups.ts";
import type { Stage } from "./stage.ts";

/** A program's package with the text of the files that a build takes in, by name. */
export interface ReadProgram extends ProgramPackage {
  readonly files: Readonly<Record<string, string>>;
}

type Listed = Pick<ListedPackage, "ImportPath" | "Dir" | "GoFiles" | "Module">;

/** The image's Go, by which every binary is built. */
export const GO = `${IMAGE_PATHS.goRoot}/bin/go`;

/** The packages of programs as the contract's platform and tags select their files. Throws where Go knows one of them not. */
export async function readProgramPackages(
  stage: Stage,
  contract: BuildContract,
  programs: readonly Program[],
): Promise<readonly ReadProgram[]> {
  const found: ReadProgram[] = [];
  for (const [goModule, members] of Map.groupBy(programs, (program) => program.goModule)) {
    const list = ["list", "-find", ...contract.flags, "-json=ImportPath,Dir,GoFiles,Module", "--"];
    const listed = await stage.run(stage.seenSource(goModule), [GO, ...list, ...packageArguments(members)]);
    if (listed.code !== 0) {
      throw new KilnError(
        "failed",
        `Go cannot list the programs of ${goModule}/go.mod:\n${lastLines(listed.stderr, 12)}`,
      );
    }
    const byDirectory = new Map(parseJsonStream<Listed>(listed.stdout).map((entry) => [entry.Dir, entry]));
    for (const program of members) {
      const entry = byDirectory.get(stage.seenSource(program.directory));
      if (entry === undefined) throw new KilnError("failed", `Go does not list the program ${program.directory}`);
      found.push(await readProgram(stage, program, entry));
    }
  }
  return found;
}

async function readProgram(stage: Stage, program: Program, entry: Listed): Promise<ReadProgram> {
  const directory = stage.sourcePath(program.directory);
  const names = entry.GoFiles ?? [];
  const texts = await Promise.all(names.map((name) => readFile(path.join(directory, name), "utf8")));
  const debug = texts.flatMap((text) => packageClause(text)?.debug ?? []);
  return {
    program,
    importPath: entry.ImportPath,
    modulePath: entry.Module?.Path ?? entry.ImportPath,
    debug: [...new Set(debug)].sort(),
    files: Object.fromEntries(names.map((name, index) => [name, texts[index] ?? ""])),
  };
}
