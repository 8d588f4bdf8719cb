import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { isMap, isTexts } from "./document.ts";

/**
 * By what a build of a program that was edited is known, and what it will read: so that archives can be unpacked while Go
 * still looks for packages (`foresee` in images/programs/serve).
 */
export interface ProgramReads {
  /** Import path of its main package. */
  readonly package: string;
  /** What `digestSources` says of that package's folder. */
  readonly sources: string;
  /** The first 16 digits of the hashes of archives that are linked in, those of the repository itself left out. Sorted. */
  readonly archives: readonly string[];
}

const PREFIX_DIGITS = 16;

/** How an archive is named there, by its name below go-build/. */
export function archivePrefix(name: string): string {
  return path.posix.basename(name).slice(0, PREFIX_DIGITS);
}

/** What a build reads, by the names below go-build/ that it was recorded to read; `objects` has the package of each archive. */
export function readsOf(
  main: { readonly package: string; readonly sources: string },
  entries: readonly string[],
  objects: ReadonlyMap<string, { readonly key: string }>,
): ProgramReads {
  const shipped = entries.filter((name) => objects.get(name)?.key.startsWith("./") === false);
  const archives = new Set(shipped.map(archivePrefix));
  return { ...main, archives: [...archives].sort() };
}

/**
 * SHA-256 of the Go files of a folder: a line `<name> <SHA-256>` each, sorted by name. Tests are left out, what Go ignores
 * (an editor's `.#main.go`), and what is no plain file, such as a folder called notes.go.
 */
export async function digestSources(folder: string): Promise<string> {
  const names = (await readdir(folder, { withFileTypes: true }))
    .filter((entry) => entry.isFile() && /^[^._].*\.go$/.test(entry.name) && !entry.name.endsWith("_test.go"))
    .map(({ name }) => name);
  const all = createHash("sha256");
  for (const name of names.sort(byBytes)) {
    const content = await readFile(path.join(folder, name));
    all.update(`${name} ${createHash("sha256").update(content).digest("hex")}\n`);
  }
  return all.digest("hex");
}

/** The order of Go's strings, which for characters beyond U+FFFF is not that of JavaScript's. */
function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** What is wrong with a document's note of what a program reads, or undefined. */
export function readsFault(reads: unknown): string | undefined {
  const sound =
    isMap(reads) &&
    typeof reads.package === "string" &&
    /^[0-9a-f]{64}$/.test(String(reads.sources)) &&
    isTexts(reads.archives) &&
    reads.archives.every((digits) => /^[0-9a-f]{16}$/.test(digits));
  return sound ? undefined : "its note of what a program reads is none";
}
