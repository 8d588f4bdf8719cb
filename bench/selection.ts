import { createHash } from "node:crypto";
import { chmod, copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { readPrograms, type Program } from "../cache/programs.ts";
import { readSourceNames } from "../cache/source-files.ts";
import { removeFolder } from "../toolchain/remove-folder.ts";

/** The programs that are compared, in a copy of their repository that holds nothing else. */
export interface Selection {
  /** The copy, absolute: all that builds of the programs read, with directories beside the source where they name some. */
  readonly root: string;
  /** Where the source stands in it, absolute: what `--source` is for every method. */
  readonly source: string;
  readonly pattern: string;
  readonly programs: readonly Program[];
  /** One program of each of at most four providers: what fresh containers build. */
  readonly sample: readonly Program[];
  /** A digest of all that was copied. */
  readonly digest: string;
}

/**
 * Copies what builds of the selected programs read, and leaves out the directories of programs that were not selected: so
 * that no method has to know of a selection, and edits of the bench never reach the user's repository.
 */
export async function selectPrograms(
  from: { readonly source: string; readonly pattern: string; readonly providers: readonly string[] },
  work: string,
): Promise<Selection> {
  const every = await readPrograms(from.source, from.pattern);
  const { programs } = await readPrograms(from.source, from.pattern, from.providers);
  const selected = new Set(programs.map(({ directory }) => directory));
  const left = every.programs.map(({ directory }) => directory).filter((directory) => !selected.has(directory));
  const names = (await readSourceNames(from.source, programs)).filter((name) => !isBelow(name, left));
  const above = Math.max(0, ...names.map((name) => name.split("/").filter((part) => part === "..").length));
  const inside = Array.from({ length: above }, () => "source").join("/");
  const root = path.join(work, "source");
  await removeFolder(root);
  const hash = createHash("sha256").update(from.pattern);
  for (const name of names) {
    const to = path.join(root, path.posix.join(inside, name));
    await mkdir(path.dirname(to), { recursive: true });
    await copyFile(path.join(from.source, name), to);
    // Containers read the copy under other users.
    await chmod(to, 0o644);
    hash.update(`\n${name}\n`).update(await readFile(to));
  }
  return {
    root,
    source: path.join(root, inside),
    pattern: from.pattern,
    programs,
    sample: sampleOf(programs),
    digest: hash.digest("hex"),
  };
}

function isBelow(name: string, directories: readonly string[]): boolean {
  return directories.some((directory) => name.startsWith(`${directory}/`));
}

const SAMPLE = 4;

/**
 * One program of each provider; of more than four providers those at equal distances in the order of their names. Where
 * there is only one provider, two of its programs.
 */
export function sampleOf(programs: readonly Program[]): readonly Program[] {
  const first = [...Map.groupBy(programs, ({ provider }) => provider)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, members]) => members.slice(0, 1));
  if (first.length === 1) return programs.slice(0, 2);
  if (first.length <= SAMPLE) return first;
  return Array.from({ length: SAMPLE }, (_, index) => Math.round((index * (first.length - 1)) / (SAMPLE - 1))).flatMap(
    (index) => first[index] ?? [],
  );
}

/** The Go module directories of programs, each once. */
export function goModulesOf(programs: readonly Program[]): readonly string[] {
  return [...new Set(programs.map(({ goModule }) => goModule))].sort();
}

/** Writes the programs as the published method takes them: lines `provider<TAB>directory`. */
export async function writeProgramList(programs: readonly Program[], file: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, programs.map(({ provider, directory }) => `${provider}\t${directory}\n`).join(""));
}
