import { isUtf8 } from "node:buffer";
import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { KilnError, messageOf } from "../../errors.ts";
import { lastLines } from "../../toolchain/process.ts";
import { COMMIT } from "./description.ts";
import { readingGit } from "./reading-git.ts";
import { MOST_BYTES, MOST_FILES, notAFile, ScriptCount, type ScriptFile } from "./script-file.ts";

/** What a tree has: `100644 blob <object> <size>\t<name>`. */
interface TreeEntry {
  readonly mode: string;
  readonly object: string;
  readonly size: number;
  readonly name: string;
}

const [FILE, PROGRAM, LINK, SUBMODULE] = ["100644", "100755", "120000", "160000"];
/** A list is read at once: its limit is beyond what as many names need as there may be files. */
const LONGEST_LIST = 16 * 1024 * 1024;

/**
 * The files that a folder of a repository has at a commit, byte for byte as committed: neither the work tree nor attributes
 * (`export-ignore`, `export-subst`, filters, ends of lines) nor replaced objects play a part. Throws a usage error for what
 * a fetch in the container refuses as well, and for every link.
 */
export async function readCommit(folder: string, commit: string): Promise<readonly ScriptFile[]> {
  if (!COMMIT.test(commit)) throw new KilnError("usage", `${commit} is no commit`);
  const temporary = await mkdtemp(path.join(tmpdir(), "kiln-commit-"));
  try {
    const tree = await treeOf(folder, commit);
    const entries = await listTree(folder, tree, path.join(temporary, "list"));
    const links = entries.filter(({ mode }) => mode === LINK);
    if (links.length > 0) throw linkError(folder, links, await readBlobs(folder, links, path.join(temporary, "links")));
    const contents = await readBlobs(folder, entries, path.join(temporary, "blobs"));
    return entries.map(({ name, mode }, index) => {
      return { name, content: contents[index] ?? Buffer.alloc(0), executable: mode === PROGRAM };
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** A folder below the top of its repository means the same folder of the commit. */
async function treeOf(folder: string, commit: string): Promise<string> {
  const place = await readingGit(folder, ["rev-parse", "--show-prefix"], { allowFailure: true });
  const wanted = `${commit}:${place.stdout.replace(/\/?\n$/, "")}`;
  const found = await readingGit(folder, ["rev-parse", "--verify", "--quiet", "--end-of-options", wanted], {
    allowFailure: true,
  });
  if (place.code === 0 && found.code === 0) return found.stdout.trim();
  const why = place.code === 0 ? "" : `: ${lastLines(place.stderr, 1)}`;
  throw new KilnError("usage", `${folder} is no folder of the commit ${commit}${why}`, {
    mend: "Name a folder that the commit has; `git fetch` brings a commit that is not there.",
  });
}

async function listTree(folder: string, tree: string, list: string): Promise<readonly TreeEntry[]> {
  const args = ["ls-tree", "-r", "-z", "--long", "--full-tree", tree];
  const fault = await readingGit(folder, args, { outputFile: list, outputLimit: LONGEST_LIST }).then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  const entries: TreeEntry[] = [];
  const count = new ScriptCount(folder);
  const read = await readFile(list);
  for (let at = 0, end = read.indexOf(0); end !== -1; at = end + 1, end = read.indexOf(0, at)) {
    const entry = entryOf(read.subarray(at, end), folder);
    if (entry.mode !== FILE && entry.mode !== PROGRAM && entry.mode !== LINK) throw notAFile(entry.name, folder);
    count.add(entry.size);
    entries.push(entry);
  }
  // What is too much has been said by now, also where the list broke off for its length.
  if (fault !== undefined) throw unreadable(folder, fault.error);
  return entries;
}

function entryOf(line: Buffer, folder: string): TreeEntry {
  const name = line.subarray(line.indexOf("\t") + 1);
  const [mode = "", , object = "", size = ""] = line.toString("latin1", 0, line.indexOf("\t")).split(/ +/);
  const shown = JSON.stringify(name.toString());
  if (mode === SUBMODULE) {
    throw new KilnError("usage", `the repository has a submodule, ${shown}: submodules are not fetched`, {
      mend: "Name a folder without one, or commit the files themselves.",
    });
  }
  if (!isUtf8(name) || name.toString().split("/").some(isUnsafe)) {
    throw new KilnError("usage", `${shown} in ${folder} is no name that a file of scripts can have`, {
      mend: "Give it a name in UTF-8 that leads nowhere else, and commit that.",
    });
  }
  if (!/^\d+$/.test(size)) throw unreadable(folder, name.toString());
  return { mode, object, size: Number(size), name: name.toString() };
}

/** Git itself makes no such name, but a tree may have it: it would lead out of the folder that files are written to. */
function isUnsafe(part: string): boolean {
  return part === "" || part === "." || part === ".." || part.toLowerCase() === ".git";
}

/** Why a commit with links is refused; one that leads out of it in the words that a fetch has for it. */
function linkError(folder: string, links: readonly TreeEntry[], targets: readonly Buffer[]): KilnError {
  const leaving = links.find(({ name }, index) => leadsOut(name, targets[index]?.toString() ?? ""));
  if (leaving === undefined) return notAFile(links[0]?.name ?? "", folder);
  return new KilnError("usage", `the repository has a link that leads out of it: ${JSON.stringify(leaving.name)}`, {
    mend: "Put a copy of what it leads to in its place, and commit that.",
  });
}

function leadsOut(name: string, target: string): boolean {
  if (path.posix.isAbsolute(target)) return true;
  return path.posix.join(path.posix.dirname(name), target).split("/").at(0) === "..";
}

/** Contents in the order of the entries, which a file takes up first: of memory they need no more than they have bytes. */
async function readBlobs(folder: string, entries: readonly TreeEntry[], file: string): Promise<readonly Buffer[]> {
  const options = {
    input: entries.map(({ object }) => `${object}\n`).join(""),
    ...{ outputFile: file, outputLimit: MOST_BYTES + 128 * MOST_FILES },
  };
  await readingGit(folder, ["cat-file", "--batch", "--buffer"], options).catch((error: unknown) => {
    throw unreadable(folder, error);
  });
  const read = await open(file);
  try {
    const contents: Buffer[] = [];
    for (const { name, object, size } of entries) {
      const head = Buffer.from(`${object} blob ${size}\n`);
      const whole = Buffer.alloc(head.length + size + 1);
      const { bytesRead } = await read.read(whole, 0, whole.length);
      if (bytesRead < whole.length || !whole.subarray(0, head.length).equals(head)) throw unreadable(folder, name);
      contents.push(whole.subarray(head.length, -1));
    }
    return contents;
  } finally {
    await read.close();
  }
}

function unreadable(folder: string, cause: unknown): Error {
  if (cause instanceof KilnError && cause.kind === "interrupted") return cause;
  const why = typeof cause === "string" ? `${cause} is missing` : messageOf(cause);
  return new KilnError("failed", `the repository ${folder} does not give the files of the commit: ${why}`, {
    mend: "Look at it with `git fsck`; a partial clone needs all of the commit (`git fetch --refetch --no-filter`), or name the repository's address.",
    cause,
  });
}
