import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { matchesGlob } from "../../cache/pattern.ts";
import { KilnError } from "../../errors.ts";

/** Files that patterns select, and the folder that their names in the artifact begin below. */
export interface Selected {
  readonly root: string;
  /** Absolute, sorted. */
  readonly files: readonly string[];
}

/**
 * The files below the lines of an artifact's `path`, as actions/upload-artifact selects them: a folder stands for all in it,
 * `!` takes back, hidden files are left out unless `hidden`. Several lines keep the folders from where they part.
 */
export async function selectFiles(workspace: string, lines: string, hidden: boolean): Promise<Selected> {
  const patterns = lines
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  const odd = patterns.find((pattern) => /[?[\]]/.test(pattern));
  if (odd !== undefined) {
    throw new KilnError("failed", `the path "${odd}" has ? or [ ] in it`, { mend: "Select with * and ** alone." });
  }
  const absolute = (pattern: string) => path.resolve(workspace, pattern).replace(/\/$/, "");
  const wanted = patterns.filter((pattern) => !pattern.startsWith("!")).map(absolute);
  const unwanted = patterns.filter((pattern) => pattern.startsWith("!")).map((pattern) => absolute(pattern.slice(1)));
  const roots = wanted.map(searchRoot);
  const found = new Set<string>();
  for (const [index, root] of roots.entries()) {
    for (const file of await filesBelow(root, hidden)) {
      if (covers(wanted[index] ?? "", file) && !unwanted.some((pattern) => covers(pattern, file))) found.add(file);
    }
  }
  const files = [...found].sort();
  const [first = ""] = roots;
  // A file that is named by itself stands at the top of the artifact, whatever its folder.
  if (roots.length === 1 && found.has(first)) return { root: path.dirname(first), files };
  return { root: commonFolder(roots), files };
}

/** Whether a pattern names a file or a folder above it. */
function covers(pattern: string, file: string): boolean {
  if (!pattern.includes("*")) return file === pattern || file.startsWith(`${pattern}/`);
  for (let at = file; at !== path.dirname(at); at = path.dirname(at)) if (matchesGlob(pattern, at)) return true;
  return false;
}

/** The folder or file that a pattern names before its first sign of a pattern. */
function searchRoot(pattern: string): string {
  const parts = pattern.split("/");
  const wild = parts.findIndex((part) => part.includes("*"));
  return wild === -1 ? pattern : parts.slice(0, wild).join("/");
}

async function filesBelow(root: string, hidden: boolean): Promise<readonly string[]> {
  const isHidden = !hidden && path.basename(root).startsWith(".");
  const found = isHidden ? undefined : await stat(root).catch(() => undefined);
  if (found?.isFile() === true) return [root];
  if (found?.isDirectory() !== true) return [];
  const names = await readdir(root);
  return (await Promise.all(names.map((name) => filesBelow(path.join(root, name), hidden)))).flat();
}

function commonFolder(roots: readonly string[]): string {
  const [first = [], ...others] = roots.map((root) => root.split("/"));
  const parted = first.findIndex((part, index) => others.some((other) => other[index] !== part));
  return first.slice(0, parted === -1 ? undefined : parted).join("/");
}
