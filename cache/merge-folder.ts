import {
  closeSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
  writeFileSync,
  type Stats,
} from "node:fs";
import path from "node:path";
import { KilnError } from "../errors.ts";
import { withFixedTime } from "./store.ts";

/** A folder that some cache directories have. */
export interface FolderMerge {
  /** Relative to each of them. */
  readonly name: string;
  readonly roots: readonly string[];
}

/** What merging one folder came to, and the folders inside it, which are not merged yet. */
export interface MergedFolder {
  readonly bytes: number;
  readonly folders: readonly FolderMerge[];
}

/**
 * Merges the files of one folder into `out`. Outputs and sources are linked; action entries are written anew, since Go
 * rewrites them in place, with the fixed time in place of their own. Links in a cache are passed over: they could lead
 * anywhere. Throws, naming both origins, where a name has two contents.
 */
export function mergeFolder(out: string, { name, roots }: FolderMerge): MergedFolder {
  const files = new Map<string, string[]>();
  const folders = new Map<string, string[]>();
  for (const root of roots) {
    for (const entry of entriesOf(path.join(root, name))) {
      const kind = entry.isFile() ? files : entry.isDirectory() ? folders : undefined;
      if (kind === undefined) continue;
      const owners = kind.get(entry.name);
      if (owners === undefined) kind.set(entry.name, [root]);
      else owners.push(root);
    }
  }
  if (files.size > 0) mkdirSync(path.join(out, name), { recursive: true });
  let bytes = 0;
  for (const [file, [origin = "", ...others]] of files) {
    const relative = path.join(name, file);
    const other = folders.get(file)?.[0];
    if (other !== undefined) throw differing(relative, origin, other);
    bytes += mergeFile(path.join(out, relative), relative, origin, others);
  }
  return {
    bytes,
    folders: [...folders].map(([folder, owners]) => ({ name: path.join(name, folder), roots: owners })),
  };
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** Puts one file there, and returns its size. */
function mergeFile(target: string, name: string, origin: string, others: readonly string[]): number {
  const file = path.join(origin, name);
  if (/^go-build\/..\/[0-9a-f]{64}-a$/.test(name)) {
    const action = actionEntry(file);
    const other = others.find((root) => actionEntry(path.join(root, name)) !== action);
    if (other !== undefined) throw differing(name, origin, other);
    writeFileSync(target, action, "latin1");
    return action.length;
  }
  const stats = statSync(file);
  const other = others.find((root) => !sameContent(file, stats, path.join(root, name)));
  if (other !== undefined) throw differing(name, origin, other);
  linkOrCopy(file, target);
  return stats.size;
}

const ACTION_ENTRY = /^v1 (?:[0-9a-f]{64} ){2}[ \d]{20} [ \d]{20}\n$/;

/** An action entry with the fixed time; what is none stays as it is: Go takes it for a miss. */
function actionEntry(file: string): string {
  const text = readFileSync(file, "latin1");
  return ACTION_ENTRY.test(text) ? withFixedTime(text) : text;
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    // Where a volume came with files of another user, the kernel lets none but that user link them (protected_hardlinks).
    if (!["EXDEV", "EPERM", "EMLINK"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    copyFileSync(from, to);
  }
}

function differing(name: string, origin: string, other: string): KilnError {
  return new KilnError("failed", `${name} differs between ${origin} and ${other}`, {
    mend: "One of the two is damaged or was made by another compiler: warm that shard again with an empty --store.",
  });
}

const CHUNK_BYTES = 1 << 20;
const [CHUNK_A, CHUNK_B] = [Buffer.allocUnsafe(CHUNK_BYTES), Buffer.allocUnsafe(CHUNK_BYTES)];

/** Whether two files hold the same bytes; one file under two names is not read at all. */
function sameContent(left: string, a: Stats, right: string): boolean {
  const b = statSync(right);
  if (a.ino === b.ino && a.dev === b.dev) return true;
  if (a.size !== b.size) return false;
  const files = [openSync(left, "r")];
  try {
    files.push(openSync(right, "r"));
    const [one = 0, two = 0] = files;
    for (let position = 0; position < a.size; position += CHUNK_BYTES) {
      const length = Math.min(CHUNK_BYTES, a.size - position);
      const read = readSync(one, CHUNK_A, 0, length, position);
      if (readSync(two, CHUNK_B, 0, length, position) !== read) return false;
      if (!CHUNK_A.subarray(0, read).equals(CHUNK_B.subarray(0, read))) return false;
    }
    return true;
  } finally {
    for (const file of files) closeSync(file);
  }
}
