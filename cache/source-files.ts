import { readdir, readFile, realpath, stat } from "node:fs/promises";
import path from "node:path";
import type { Program } from "./programs.ts";

/** What `go build` reads by its name alone (go/build), and the file that makes a directory a Pulumi program. */
const READ_BY_NAME = new Set([
  "go.mod",
  "go.sum",
  "go.work",
  "go.work.sum",
  "modules.txt",
  "default.pgo",
  "Pulumi.yaml",
  "Pulumi.yml",
]);
const READ_BY_EXTENSION = /\.(?:go|c|cc|cpp|cxx|m|h|hh|hpp|hxx|f|F|for|f90|s|S|sx|swig|swigcxx|syso)$/;

const NEVER_READ = new Set([".git", ".kiln", "node_modules"]);

/**
 * The files that a build of programs may read, relative to the source and sorted: of the Go modules that govern them, of
 * local directories that those replace others with, and of the workspaces (go.work) above them. A large file that lies
 * beside a program counts only where something there embeds files.
 */
export async function readSourceNames(source: string, programs: readonly Program[]): Promise<readonly string[]> {
  const directories = new Set(programs.map((program) => program.goModule));
  const files = new Set<string>();
  // The set grows while it is walked: what is found may name more.
  for (const directory of directories) {
    const goMod = await readText(path.join(source, directory, "go.mod"));
    for (const local of localDirectories(goMod)) directories.add(path.posix.join(directory, local));
    const goWork = await goWorkOf(source, directory);
    if (goWork === undefined) continue;
    const parent = path.posix.dirname(goWork);
    for (const name of [goWork, `${goWork}.sum`]) if (await isFile(path.join(source, name))) files.add(name);
    const vendored = path.posix.join(parent, "vendor");
    if (await isFile(path.join(source, vendored, "modules.txt"))) directories.add(vendored);
    for (const local of localDirectories(await readText(path.join(source, goWork)))) {
      directories.add(path.posix.join(parent, local));
    }
  }
  const top = await realpath(source);
  for (const directory of directories) {
    const real = await realpath(path.join(source, directory)).catch(() => undefined);
    if (real === undefined) continue;
    for await (const name of walk({
      inside: [top, real],
      root: path.join(source, directory),
      relative: "",
      embeds: false,
      above: [real],
    })) {
      files.add(path.posix.join(directory, name));
    }
  }
  return [...files].sort();
}

/** The go.work that governs a Go module of `source`, relative to the source: the nearest one at or above it. */
export async function goWorkOf(source: string, goModule: string): Promise<string | undefined> {
  let directory = path.posix.normalize(goModule);
  if (directory.split("/").includes("..")) return undefined;
  for (;;) {
    const file = path.posix.join(directory, "go.work");
    if (await isFile(path.join(source, file))) return file;
    if (directory === ".") return undefined;
    directory = path.posix.dirname(directory);
  }
}

/** The texts of all go.sum and go.work.sum files that builds of programs read. */
export async function readGoSums(source: string, programs: readonly Program[]): Promise<readonly string[]> {
  const names = (await readSourceNames(source, programs)).filter((name) => /(?:^|\/)go(?:\.work)?\.sum$/.test(name));
  return Promise.all(names.map((name) => readText(path.join(source, name))));
}

/** The directories, relative to a go.mod or go.work, that it uses or puts in place of modules. */
export function localDirectories(text: string): readonly string[] {
  const code = text.replace(/\/\/.*$/gm, "");
  return [...code.matchAll(/(?:=>|^use|^)\s+(?:"(\.{1,2}(?:\/[^"\n]*)?)"|(\.{1,2}(?:\/[^\s"]*)?))\s*$/gm)].map(
    ([, quoted, plain = "."]) => quoted ?? plain,
  );
}

interface Place {
  /** Real paths that links may not lead out of: a repository could have any file of this machine copied. */
  readonly inside: readonly string[];
  readonly root: string;
  readonly relative: string;
  /** Whether a file above embeds: then every file here may be read. */
  readonly embeds: boolean;
  /** Real paths of this directory and those above it, by which a loop of links is known. */
  readonly above: readonly string[];
}

async function* walk(place: Place): AsyncGenerator<string> {
  const directory = path.join(place.root, place.relative);
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  // A pipe has a name as well, and reading one would wait for ever.
  const goFiles = entries
    .filter((entry) => entry.name.endsWith(".go") && entry.isFile())
    .map((entry) => path.join(directory, entry.name));
  const embeds = place.embeds || (await someEmbeds(goFiles));
  for (const entry of entries) {
    const relative = place.relative === "" ? entry.name : `${place.relative}/${entry.name}`;
    const file = path.join(place.root, relative);
    const linked = entry.isSymbolicLink() ? await realpath(file).catch(() => undefined) : undefined;
    if (entry.isSymbolicLink() && !place.inside.some((top) => `${linked ?? ""}/`.startsWith(`${top}/`))) continue;
    const kind = linked === undefined ? entry : await stat(linked);
    if (kind.isFile()) {
      if (embeds || READ_BY_NAME.has(entry.name) || READ_BY_EXTENSION.test(entry.name)) yield relative;
    } else if (kind.isDirectory() && !NEVER_READ.has(entry.name)) {
      const real = linked ?? path.join(place.above.at(-1) ?? "", entry.name);
      if (!place.above.includes(real)) yield* walk({ ...place, relative, embeds, above: [...place.above, real] });
    }
  }
}

async function someEmbeds(goFiles: readonly string[]): Promise<boolean> {
  for (const file of goFiles) if (/^[ \t]*\/\/go:embed\s/m.test(await readText(file))) return true;
  return false;
}

/** The directory of the go.mod that governs a program; the source itself where none does. */
export async function readGoModuleOf(source: string, directory: string): Promise<string> {
  for (let folder = directory; folder !== "." && folder !== ""; folder = path.posix.dirname(folder)) {
    if (await isFile(path.join(source, folder, "go.mod"))) return folder;
  }
  return ".";
}

/** The text of a file; empty where it cannot be read. */
export async function readText(file: string): Promise<string> {
  return readFile(file, "utf8").catch(() => "");
}

/** Whether a path is a file, or a link to one. */
export async function isFile(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined))?.isFile() ?? false;
}

/** Whether a path is a directory, or a link to one. */
export async function isDirectory(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined))?.isDirectory() ?? false;
}
