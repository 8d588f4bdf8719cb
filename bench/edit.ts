import { cp, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { packageName } from "../cache/programs.ts";
import { KilnError } from "../errors.ts";
import { removeFolder } from "../toolchain/remove-folder.ts";

/**
 * A Go file's text with one more variable in its package: another archive and another program, so that main is compiled and
 * linked again, and nothing else.
 */
export function edited(text: string, token: string): string {
  return `${text.trimEnd()}\n\nvar kilnBenchEdit = "${token}"\n\nfunc init() {\n\tif kilnBenchEdit == "" {\n\t\tprintln(kilnBenchEdit)\n\t}\n}\n`;
}

/** Makes a copy of a source in which one program's main.go is edited. `directory` is relative to the source. */
export async function copyEdited(
  from: { readonly root: string; readonly source: string },
  to: string,
  directory: string,
  token: string,
): Promise<string> {
  await removeFolder(to);
  await cp(from.root, to, { recursive: true });
  const source = path.join(to, path.relative(from.root, from.source));
  await editProgram(path.join(source, directory), token);
  return source;
}

/** Edits main.go of a program, or the first of its files where it has no main.go. */
async function editProgram(directory: string, token: string): Promise<void> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(".go") && !name.endsWith("_test.go")).sort();
  for (const name of ["main.go", ...names].filter((candidate) => names.includes(candidate))) {
    const text = await readFile(path.join(directory, name), "utf8");
    if (packageName(text) !== "main") continue;
    return writeFile(path.join(directory, name), edited(text, token));
  }
  throw new KilnError("failed", `${directory} has no file of package main`);
}
