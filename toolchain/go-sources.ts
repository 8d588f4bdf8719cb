import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

/**
 * The files below a folder, tests left out, in order. Where packages of a Go module are named (`./entrypoint`), only what
 * their builds read: the module's own files, and the packages that they import of it, with the folders of data in them.
 */
export async function goSources(source: string, packages?: readonly string[]): Promise<readonly string[]> {
  const entries = await readdir(source, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && !entry.name.endsWith("_test.go"))
    .map((entry) => path.relative(source, path.join(entry.parentPath, entry.name)))
    .sort();
  if (packages === undefined || packages.some((name) => name.includes("..."))) return files;
  const folderOf = packageFolders(files);
  const byFolder = Map.groupBy(files, folderOf);
  const module = /^module\s+(\S+)/m.exec(await readFile(path.join(source, "go.mod"), "utf8"))?.[1] ?? "";
  const wanted = new Set(packages.map((name) => path.normalize(name)));
  // A set gives what is added while it is gone through as well.
  for (const folder of wanted) {
    for (const file of byFolder.get(folder) ?? []) {
      if (!file.endsWith(".go")) continue;
      for (const imported of importsOf(await readFile(path.join(source, file), "utf8"), module)) wanted.add(imported);
    }
  }
  return files.filter((file) => MODULE_FILES.has(file) || wanted.has(folderOf(file)));
}

const MODULE_FILES = new Set(["go.mod", "go.sum"]);

/** Gives the folder of Go files that a file is in or, as what is embedded, below. */
function packageFolders(files: readonly string[]): (file: string) => string {
  const folders = new Set(files.filter((file) => file.endsWith(".go")).map((file) => path.dirname(file)));
  return (file) => {
    let folder = path.dirname(file);
    while (folder !== "." && !folders.has(folder)) folder = path.dirname(folder);
    return folder;
  };
}

/** Every text that could name a package of the module: one too many costs a build, one too few would be an old program. */
function importsOf(text: string, module: string): readonly string[] {
  return [...text.matchAll(/["`]([^"`\n]+)["`]/g)]
    .map((match) => match[1] ?? "")
    .filter((name) => name === module || name.startsWith(`${module}/`))
    .map((name) => (name === module ? "." : name.slice(module.length + 1)));
}
