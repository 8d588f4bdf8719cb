import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import type { BuildContract } from "./contract.ts";
import type { Program } from "./programs.ts";

/** Raise it when kiln makes another image of the same inputs. */
const BAKE_FORMAT = "kiln-bake-1";

const NEVER_READ = new Set([".git", ".kiln", "node_modules"]);

/**
 * A digest of all that decides a warm image: contract, tool versions, what the base is made of, and every source file.
 * Equal keys mean that nothing need be baked, without asking Go.
 */
export async function inputsKey(
  source: string,
  programs: readonly Program[],
  contract: BuildContract,
  recipe: readonly string[],
): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify([BAKE_FORMAT, contract, recipe, programs]));
  for (const name of await readSourceNames(source, programs)) {
    const content = createHash("sha256");
    for await (const chunk of createReadStream(path.join(source, name))) content.update(chunk as Buffer);
    hash.update(`\n${name}\n${content.digest("hex")}`);
  }
  return hash.digest("hex");
}

/**
 * The files that a build of programs may read, relative to the source and sorted: of the Go modules that govern them, of
 * local directories that those replace others with, and of the workspaces (go.work) above them.
 */
export async function readSourceNames(source: string, programs: readonly Program[]): Promise<readonly string[]> {
  const directories = new Set(programs.map((program) => program.goModule));
  const files = new Set<string>();
  // The set grows while it is walked: what is found may name more.
  for (const directory of directories) {
    const goMod = await readText(path.join(source, directory, "go.mod"));
    for (const local of localDirectories(goMod)) directories.add(path.posix.join(directory, local));
    for (const parent of ancestorsOf(directory)) {
      const goWork = await readText(path.join(source, parent, "go.work"));
      if (goWork === "") continue;
      for (const name of ["go.work", "go.work.sum"]) {
        if (await isFile(path.join(source, parent, name))) files.add(path.posix.join(parent, name));
      }
      for (const local of localDirectories(goWork)) directories.add(path.posix.join(parent, local));
    }
  }
  for (const directory of directories) {
    for (const name of await readFileNames(path.join(source, directory))) files.add(path.posix.join(directory, name));
  }
  return [...files].sort();
}

/** The directories, relative to a go.mod or go.work, that it uses or puts in place of modules. */
export function localDirectories(text: string): readonly string[] {
  const code = text.replace(/\/\/.*$/gm, "");
  return [...code.matchAll(/(?:=>|^use|^)\s+"?(\.{1,2}(?:\/[^\s"]*)?)"?\s*$/gm)].map(
    ([, directory = "."]) => directory,
  );
}

function ancestorsOf(directory: string): readonly string[] {
  const parts = path.posix
    .normalize(directory)
    .split("/")
    .filter((part) => part !== ".");
  if (parts.includes("..")) return [];
  return [".", ...parts.map((_, index) => parts.slice(0, index + 1).join("/"))];
}

async function readFileNames(root: string, relative = ""): Promise<readonly string[]> {
  const names: string[] = [];
  for (const entry of await readdir(path.join(root, relative), { withFileTypes: true }).catch(() => [])) {
    const name = relative === "" ? entry.name : `${relative}/${entry.name}`;
    if (entry.isDirectory() && !NEVER_READ.has(entry.name)) names.push(...(await readFileNames(root, name)));
    else if (entry.isFile() || (entry.isSymbolicLink() && (await isFile(path.join(root, name))))) names.push(name);
  }
  return names;
}

async function readText(file: string): Promise<string> {
  return readFile(file, "utf8").catch(() => "");
}

async function isFile(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined))?.isFile() ?? false;
}
