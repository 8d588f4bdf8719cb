import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../../errors.ts";
import type { DockerIgnore } from "../../toolchain/plugins/docker-provider/docker-ignore.ts";

/** A file or link of a module as its image gets it. Paths are relative, with `/`. */
export type ContextEntry =
  | { readonly kind: "file"; readonly path: string; readonly executable: boolean; readonly size: number }
  | { readonly kind: "link"; readonly path: string; readonly target: string };

/** Where the build keeps what it adds to a module: no module may have it. */
export const BUILD_FOLDER = ".kiln-module";

/**
 * The files and links that a module's image gets, sorted by path. Links are kept as links; one that leads out of the module
 * is refused, as is what is neither file, link nor folder: both would mean something else, or nothing, in the image.
 */
export async function readContext(directory: string, ignore: DockerIgnore): Promise<readonly ContextEntry[]> {
  const entries = await readFolder(directory, ignore, "");
  return entries.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function readFolder(directory: string, ignore: DockerIgnore, below: string): Promise<ContextEntry[]> {
  const found: ContextEntry[] = [];
  for (const child of await readdir(path.join(directory, below), { withFileTypes: true })) {
    const file = below === "" ? child.name : `${below}/${child.name}`;
    const ignored = ignore.ignores(file);
    if (!ignored && child.name.includes("\uFFFD")) throw misspelt(path.join(directory, file));
    if (child.isDirectory()) {
      if (!ignored || !ignore.prunes(file)) found.push(...(await readFolder(directory, ignore, file)));
    } else if (!ignored) {
      if (file === BUILD_FOLDER || file.startsWith(`${BUILD_FOLDER}/`)) throw taken(directory);
      found.push(await readEntry(directory, file));
    }
  }
  return found;
}

async function readEntry(directory: string, file: string): Promise<ContextEntry> {
  const place = path.join(directory, file);
  const status = await lstat(place);
  if (status.isFile()) return { kind: "file", path: file, executable: (status.mode & 0o100) !== 0, size: status.size };
  if (status.isSymbolicLink()) {
    const target = await readlink(place);
    if (staysInside(file, target)) return { kind: "link", path: file, target };
    throw new KilnError("usage", `${place} is a link to ${target}, which is outside of the module`, {
      mend: "Copy what it points to into the module, or name the link in .dockerignore.",
    });
  }
  throw new KilnError("usage", `${place} is neither a file, a folder nor a link`, {
    mend: "Remove it, or name it in .dockerignore.",
  });
}

/** Whether a link at `file` leads to somewhere in the module, as far as its own text says. */
export function staysInside(file: string, target: string): boolean {
  if (path.posix.isAbsolute(target)) return false;
  const reached = path.posix.normalize(path.posix.join(path.posix.dirname(file), target));
  return reached !== ".." && !reached.startsWith("../");
}

/**
 * A digest of a module as its image gets it: of every file its path, whether it may be executed and its content. Times,
 * owners, and where the module stands do not count.
 */
export async function contextDigest(directory: string, entries: readonly ContextEntry[]): Promise<string> {
  const hash = createHash("sha256");
  for (const entry of entries) {
    const said = entry.kind === "link" ? entry.target : await fileDigest(path.join(directory, entry.path));
    const kind = entry.kind === "file" && entry.executable ? "executable" : entry.kind;
    hash.update(`${JSON.stringify([kind, entry.path, said])}\n`);
  }
  return `sha256:${hash.digest("hex")}`;
}

async function fileDigest(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** Node reads what is no UTF-8 as this sign, and finds no file of that name. */
function misspelt(place: string): KilnError {
  return new KilnError("usage", `the name of ${place} is not UTF-8`, {
    mend: "Rename it, or name its folder in .dockerignore.",
  });
}

function taken(directory: string): KilnError {
  return new KilnError("usage", `${path.join(directory, BUILD_FOLDER)} is where kiln puts what a build adds`, {
    mend: "Rename that folder, or name it in .dockerignore.",
  });
}
