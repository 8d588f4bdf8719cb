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
 * A digest of all that decides a warm image: contract, tool versions, what the base is made of, and every file of the Go
 * modules that govern the programs, and of local directories that replace others. Equal keys mean that nothing need be baked, without asking Go.
 */
export async function inputsKey(
  source: string,
  programs: readonly Program[],
  contract: BuildContract,
  recipe: readonly string[],
): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify([BAKE_FORMAT, contract, recipe, programs]));
  const goModules = new Set(programs.map((program) => program.goModule));
  for (const goModule of [...goModules]) {
    const text = await readFile(path.join(source, goModule, "go.mod"), "utf8");
    for (const local of localReplacements(text)) goModules.add(path.posix.join(goModule, local));
  }
  for (const goModule of [...goModules].sort()) {
    for (const name of await readFileNames(path.join(source, goModule))) {
      const content = createHash("sha256");
      for await (const chunk of createReadStream(path.join(source, goModule, name))) content.update(chunk as Buffer);
      hash.update(`\n${goModule}/${name}\n${content.digest("hex")}`);
    }
  }
  return hash.digest("hex");
}

/** The directories, relative to a go.mod, that it puts in place of modules. */
export function localReplacements(goMod: string): readonly string[] {
  return [...goMod.matchAll(/=>\s+(\.{1,2}\/\S*)/g)].map(([, directory = "."]) => directory);
}

async function readFileNames(root: string, relative = ""): Promise<readonly string[]> {
  const names: string[] = [];
  for (const entry of await readdir(path.join(root, relative), { withFileTypes: true })) {
    const name = relative === "" ? entry.name : `${relative}/${entry.name}`;
    if (entry.isDirectory() && !NEVER_READ.has(entry.name)) names.push(...(await readFileNames(root, name)));
    else if (entry.isFile() || (entry.isSymbolicLink() && (await isFile(path.join(root, name))))) names.push(name);
  }
  return names.sort();
}

async function isFile(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined))?.isFile() ?? false;
}
