import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { throwIfInterrupted } from "../../toolchain/process.ts";
import { readEntries } from "../closure.ts";
import { concurrently } from "../concurrently.ts";

/** What an output is by its first bytes: an archive, a linked program, the index of a module's files, or a small note. */
export type OutputKind = "package" | "program" | "index" | "note";

/** What a GOCACHE answers an action with. */
export interface Answer {
  /** SHA-256 that the output is named by. */
  readonly output: string;
  readonly kind: OutputKind;
}

/** An entry that is not what its name says. */
export interface DamagedEntry {
  /** Its name below go-build/. */
  readonly name: string;
  readonly why: string;
}

export interface CheckedEntries {
  /** By action ID; what is damaged is not among them. */
  readonly actions: ReadonlyMap<string, Answer>;
  /** The actions whose output is damaged, by that output. */
  readonly lost: ReadonlyMap<string, readonly string[]>;
  readonly damaged: readonly DamagedEntry[];
  /** Outputs whose content was compared with their name. */
  readonly outputs: number;
}

/** Where a GOCACHE keeps an action, or with `d` an output. */
export function entryName(id: string, type: "a" | "d"): string {
  return `${id.slice(0, 2)}/${id}-${type}`;
}

/** An action entry, or undefined where it is none for that action: Go passes over it. */
export function parseAction(
  action: string,
  text: string,
): { readonly output: string; readonly size: number } | undefined {
  const [, id, output, size] = /^v1 ([0-9a-f]{64}) ([0-9a-f]{64}) ([ \d]{20}) [ \d]{20}\n$/.exec(text) ?? [];
  return id !== action || output === undefined ? undefined : { output, size: Number(size) };
}

/** What an output is, by its beginning. */
export function kindOf(beginning: Buffer): OutputKind {
  const text = beginning.toString("latin1", 0, 16);
  if (text.startsWith("!<arch>\n")) return "package";
  if (text.startsWith("\x7fELF")) return "program";
  return text.startsWith("go index v") ? "index" : "note";
}

/**
 * Reads all entries of a GOCACHE and compares every output with the hash that it is named by, which Go itself does for
 * small ones only. Entries that are not what they are called are named, and left out of `actions`.
 */
export async function readCheckedEntries(goBuildCache: string): Promise<CheckedEntries> {
  const names = await readEntries(goBuildCache);
  const outputs = new Map<string, { readonly size: number; readonly kind: OutputKind }>();
  const damaged: DamagedEntry[] = [];
  await concurrently(
    names.filter((name) => name.endsWith("-d")),
    async (name) => {
      throwIfInterrupted();
      const id = name.slice(3, -2);
      const { hash, size, kind } = await readOutput(path.join(goBuildCache, name));
      if (hash === id) outputs.set(id, { size, kind });
      else damaged.push({ name, why: `its content has the hash ${hash}` });
    },
  );
  const broken = new Set(damaged.map(({ name }) => name.slice(3, -2)));
  const actions = new Map<string, Answer>();
  const lost = new Map<string, string[]>();
  await concurrently(
    names.filter((name) => name.endsWith("-a")),
    async (name) => {
      const action = name.slice(3, -2);
      const entry = parseAction(action, await readFile(path.join(goBuildCache, name), "utf8"));
      const found = entry === undefined ? undefined : outputs.get(entry.output);
      if (entry === undefined) damaged.push({ name, why: "it is no entry for this action" });
      else if (found?.size === entry.size) actions.set(action, { output: entry.output, kind: found.kind });
      else if (broken.has(entry.output)) lost.set(entry.output, [...(lost.get(entry.output) ?? []), action]);
      else damaged.push({ name, why: found === undefined ? "its output is not there" : "its output has another size" });
    },
  );
  damaged.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { actions, lost, damaged, outputs: outputs.size + broken.size };
}

/** The hash, size and kind of a file's content. */
export async function readOutput(
  file: string,
): Promise<{ readonly hash: string; readonly size: number; readonly kind: OutputKind }> {
  const hash = createHash("sha256");
  let size = 0;
  let kind: OutputKind = "note";
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    if (size === 0) kind = kindOf(chunk);
    hash.update(chunk);
    size += chunk.length;
  }
  return { hash: hash.digest("hex"), size, kind };
}
