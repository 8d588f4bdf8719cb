import { spawn } from "node:child_process";
import { createReadStream } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { PassThrough, Readable } from "node:stream";
import { wordsIn } from "./word-search.ts";

/** Where something is searched for, and a word that certainly stands there: without it the search would prove nothing. */
export interface SearchedPlace {
  readonly name: string;
  readonly control: string;
  readonly source: Readable;
}

/** Which words stand where, the controls left out; and which controls were not found. */
export async function searched(words: readonly string[], all: readonly SearchedPlace[]) {
  const left: string[] = [];
  const blind: string[] = [];
  for (const { name, control, source } of all) {
    const found = await wordsIn([...words, control], source);
    if (!found.has(control)) blind.push(name);
    left.push(...words.filter((word) => found.has(word)).map((word) => `${name}: ${word.slice(0, 12)}…`));
  }
  return { left, blind };
}

/** What a command prints on both of its outputs. */
export function printedBy(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Readable {
  const child = spawn(command, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  const both = new PassThrough();
  for (const stream of [child.stdout, child.stderr]) stream.pipe(both, { end: false });
  child.once("close", () => both.end());
  return both;
}

/** A word as it stands in base64, wherever it begins there. */
export function inBase64(word: string): readonly string[] {
  return [0, 1, 2].map((shift) => {
    const bytes = Buffer.from("\0".repeat(shift) + word);
    return bytes.toString("base64").slice(Math.ceil((shift * 4) / 3), Math.floor(bytes.length / 3) * 4);
  });
}

/** Names and contents of all files below a folder. */
export async function filesBelow(folder: string): Promise<Readable> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  return Readable.from(
    (async function* () {
      for (const file of files) {
        yield Buffer.from(`\n${file}\n`);
        yield* createReadStream(file) as AsyncIterable<Buffer>;
      }
    })(),
  );
}

/** Of each process of this machine, by its id: `cmdline` or `environ`, of those that have not ended meanwhile. */
export async function ofProcesses(what: "cmdline" | "environ"): Promise<ReadonlyMap<string, string>> {
  const ids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const texts = ids.map(async (id) => [id, await readFile(`/proc/${id}/${what}`, "utf8").catch(() => "")] as const);
  return new Map(await Promise.all(texts));
}
