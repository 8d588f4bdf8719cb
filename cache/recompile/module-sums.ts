import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { throwIfInterrupted } from "../../toolchain/process.ts";
import { moduleFiles } from "../closure.ts";
import { concurrently } from "../concurrently.ts";
import { isDirectory } from "../source-files.ts";
import { readModuleTree } from "../store.ts";

/** A module whose files are not those that go.sum names. */
export interface ForeignModule {
  /** `path@version` */
  readonly module: string;
  readonly expected: string;
  readonly found: string;
}

export interface CheckedModules {
  readonly modules: number;
  readonly foreign: readonly ForeignModule[];
}

/** The sums of modules' files, `h1:…` by `path@version`, of go.sum texts. */
export function moduleSums(goSums: readonly string[]): ReadonlyMap<string, string> {
  const sums = new Map<string, string>();
  for (const line of goSums.flatMap((text) => text.split("\n"))) {
    const [, module = "", version = "", sum] = /^(\S+) (\S+) (h1:\S+)$/.exec(line) ?? [];
    if (sum !== undefined && !version.endsWith("/go.mod")) sums.set(`${module}@${version}`, sum);
  }
  return sums;
}

/** The sum of files as go.sum has it (Hash1 in golang.org/x/mod/sumdb/dirhash): SHA-256 of a list of SHA-256. */
export function hash1(files: ReadonlyMap<string, string>): string {
  const hash = createHash("sha256");
  for (const name of [...files.keys()].sort()) hash.update(`${files.get(name) ?? ""}  ${name}\n`);
  return `h1:${hash.digest("base64")}`;
}

/** Compares each module that is in a GOMODCACHE with its sum: Go does so when it fetches one, and never again. */
export async function checkModules(goModCache: string, sums: ReadonlyMap<string, string>): Promise<CheckedModules> {
  const foreign: ForeignModule[] = [];
  let modules = 0;
  for (const [module, expected] of sums) {
    throwIfInterrupted();
    const { tree } = moduleFiles(module);
    if (!(await isDirectory(path.join(goModCache, tree)))) continue;
    modules += 1;
    const files = new Map<string, string>();
    await concurrently(await readModuleTree(goModCache, module), async (name) => {
      const content = await readFile(path.join(goModCache, name));
      files.set(`${module}/${path.posix.relative(tree, name)}`, createHash("sha256").update(content).digest("hex"));
    });
    const found = hash1(files);
    if (found !== expected) foreign.push({ module, expected, found });
  }
  return { modules, foreign };
}
