import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { extract } from "tar-stream";
import { Readable } from "node:stream";
import { KilnError } from "../../errors.ts";
import { run } from "../../toolchain/process.ts";
import { tarOf, type TarEntry } from "../tar-file.ts";
import { COMMIT, type JobDescription, type JobSource } from "./description.ts";
import { PARAMETERS_FILE, parametersFile, scriptFile } from "./environment.ts";
import { VAULT_CERTIFICATES, vaultCertificates } from "./vault-settings.ts";

/** A file of scripts, by its path below them; as an input, by its path below the workspace of a job's container. */
interface ScriptFile {
  readonly name: string;
  readonly content: Buffer;
}

/** What a runner brings into a container: scripts as they are pinned, parameters too large for a variable, Vault's authorities. */
export interface JobInput {
  readonly files: readonly ScriptFile[];
  /** Of all files: names and contents. */
  readonly sha256: string;
}

const LARGEST = 64 * 1024 * 1024;
const MOST_FILES = 10_000;
/** With the headers of files and folders. */
const LARGEST_TAR = LARGEST + 4096 * MOST_FILES;

/** Reads the scripts of a source; of a repository none, since its commit is fetched in the container. */
export async function readInput(description: JobDescription): Promise<JobInput> {
  const parameters = parametersFile(description);
  const certificates = vaultCertificates(description.vault);
  const scripts = await readScripts(description.source);
  const input = [
    ...scripts.map(({ name, content }) => ({ name: scriptFile(name), content })),
    ...(parameters === undefined ? [] : [{ name: PARAMETERS_FILE, content: Buffer.from(parameters) }]),
    ...(certificates === undefined ? [] : [{ name: VAULT_CERTIFICATES, content: Buffer.from(certificates) }]),
  ];
  return { files: input, sha256: digestOf(scripts) };
}

async function readScripts(source: JobSource): Promise<readonly ScriptFile[]> {
  if (source.kind === "repository") return [];
  return source.kind === "directory" ? readFolder(source.path) : readCommit(source.path, source.commit);
}

/** How much is read so far. */
interface Amount {
  files: number;
  bytes: number;
}

/** Counts a file before it is read: a folder of any size may be named by mistake. */
function countFile(read: Amount, size: number, folder: string): void {
  read.files += 1;
  read.bytes += size;
  if (read.bytes <= LARGEST && read.files <= MOST_FILES) return;
  const limits = `${MOST_FILES} files or ${LARGEST} bytes`;
  throw new KilnError("usage", `${folder} has more than ${limits}, too much for scripts`, {
    mend: "Name the folder of the scripts alone, or fetch them from a repository.",
  });
}

/** A link would lead out of the folder, or to another file in the container than here. */
async function readFolder(
  folder: string,
  below = "",
  read: Amount = { files: 0, bytes: 0 },
): Promise<readonly ScriptFile[]> {
  const files: ScriptFile[] = [];
  for (const entry of (await entriesOf(path.join(folder, below))).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const name = path.posix.join(below, entry.name);
    if (entry.name === ".git" && below === "") continue;
    const file = path.join(folder, name);
    if (entry.isDirectory()) {
      files.push(...(await readFolder(folder, name, read)));
    } else if (entry.isFile()) {
      countFile(read, (await stat(file)).size, folder);
      files.push({ name, content: await readFile(file) });
    } else throw notAFile(name, folder);
  }
  return files;
}

async function entriesOf(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (cause) {
    throw new KilnError("usage", `${folder} is no folder of scripts that can be read`, { cause });
  }
}

/** The files of a commit, read by `git archive`: the work tree plays no part. */
async function readCommit(folder: string, commit: string): Promise<readonly ScriptFile[]> {
  if (!COMMIT.test(commit)) throw new KilnError("usage", `${commit} is no commit`);
  const temporary = await mkdtemp(path.join(tmpdir(), "kiln-commit-"));
  try {
    const tar = path.join(temporary, "scripts.tar");
    await run("git", ["-C", folder, "archive", "--format=tar", commit], { outputFile: tar, outputLimit: LARGEST_TAR });
    return await filesOfTar(await readFile(tar), folder);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function filesOfTar(tar: Buffer, folder: string): Promise<readonly ScriptFile[]> {
  const files: ScriptFile[] = [];
  const read: Amount = { files: 0, bytes: 0 };
  for await (const entry of Readable.from([tar]).pipe(extract())) {
    const { name, type, size } = entry.header;
    if (type === "file") countFile(read, size, folder);
    const parts: Buffer[] = [];
    for await (const part of entry as AsyncIterable<Buffer>) parts.push(part);
    if (type === "file") files.push({ name, content: Buffer.concat(parts) });
    else if (type !== "directory") throw notAFile(name, folder);
  }
  return files;
}

function notAFile(name: string, folder: string): KilnError {
  return new KilnError("usage", `${name} in ${folder} is no regular file`, {
    mend: "Put a copy of what it leads to in its place: links are not followed.",
  });
}

function digestOf(files: readonly ScriptFile[]): string {
  const hash = createHash("sha256");
  for (const { name, content } of files) hash.update(`${name}\0${content.length}\0`).update(content);
  return hash.digest("hex");
}

/** In the job's folder, as long as there is a container: an engine copies out of none whose mounts are gone. */
export const INPUT_FOLDER = ".input";

/** Writes an input below a job's folder, where everybody may read it and nobody but its owner may write. Returns the path. */
export async function writeInputFolder({ files }: JobInput, jobFolder: string): Promise<string> {
  const folder = path.join(jobFolder, INPUT_FOLDER);
  await mkdir(path.join(folder, "scripts"), { recursive: true });
  const folders = new Set([folder, path.join(folder, "scripts")]);
  for (const { name, content } of files) {
    const file = path.join(folder, name);
    for (let at = path.dirname(file); at !== folder; at = path.dirname(at)) folders.add(at);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
    await chmod(file, 0o444);
  }
  // Whatever the umask: in the container another user reads it.
  for (const at of folders) await chmod(at, 0o755);
  return folder;
}

/** One of its folders as a tar, whose files belong to root: for an engine that does not see this machine's disk. */
export async function inputTar(input: JobInput, folder: string): Promise<Buffer> {
  const owner = { uid: 0, gid: 0 };
  const files = input.files
    .filter(({ name }) => name.startsWith(`${folder}/`))
    .map(({ name, content }) => ({ name: name.slice(folder.length + 1), content }));
  const folders = new Set<string>();
  for (const { name } of files) {
    for (let at = path.posix.dirname(name); at !== "."; at = path.posix.dirname(at)) folders.add(at);
  }
  const entries: TarEntry[] = [
    { name: ".", content: undefined, mode: 0o755, ...owner },
    ...[...folders].sort().map((name) => ({ name, content: undefined, mode: 0o755, ...owner })),
    ...files.map(({ name, content }) => ({ name, content, mode: 0o444, ...owner })),
  ];
  return tarOf(entries);
}
