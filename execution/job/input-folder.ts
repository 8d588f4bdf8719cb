import { createHash } from "node:crypto";
import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../../errors.ts";
import { tarOf, type TarEntry } from "../tar-file.ts";
import { readCommit } from "./commit-files.ts";
import type { JobDescription, JobSource } from "./description.ts";
import { PARAMETERS_FILE, parametersFile, scriptFile } from "./environment.ts";
import { requireScript } from "./required-script.ts";
import { notAFile, ScriptCount, type ScriptFile } from "./script-file.ts";
import { VAULT_CERTIFICATES, vaultCertificates } from "./vault-settings.ts";

/** What a runner brings into a container: scripts as they are pinned, parameters too large for a variable, Vault's authorities. */
export interface JobInput {
  readonly files: readonly ScriptFile[];
  /** Of all files: names and contents. */
  readonly sha256: string;
}

/**
 * Reads the scripts of a source; of a repository none, since its commit is fetched in the container. Throws a usage error
 * for what cannot be brought, and where the job's script is not there.
 */
export async function readInput(description: JobDescription): Promise<JobInput> {
  const parameters = parametersFile(description);
  const certificates = vaultCertificates(description.vault);
  const scripts = await readScripts(description.source);
  requireScript(description, scripts);
  const told = [
    [PARAMETERS_FILE, parameters],
    [VAULT_CERTIFICATES, certificates],
  ] as const;
  const input = [
    ...scripts.map(({ name, ...file }) => ({ name: scriptFile(name), ...file })),
    ...told.flatMap(([name, text]) => {
      return text === undefined ? [] : [{ name, content: Buffer.from(text), executable: false }];
    }),
  ];
  return { files: input, sha256: digestOf(scripts) };
}

async function readScripts(source: JobSource): Promise<readonly ScriptFile[]> {
  if (source.kind === "repository") return [];
  return source.kind === "directory" ? readFolder(source.path) : readCommit(source.path, source.commit);
}

async function readFolder(folder: string, below = "", count = new ScriptCount(folder)): Promise<readonly ScriptFile[]> {
  const files: ScriptFile[] = [];
  for (const entry of (await entriesOf(path.join(folder, below))).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const name = path.posix.join(below, entry.name);
    if (entry.name === ".git" && below === "") continue;
    const file = path.join(folder, name);
    if (entry.isDirectory()) {
      files.push(...(await readFolder(folder, name, count)));
    } else if (entry.isFile()) {
      const { size, mode } = await stat(file);
      count.add(size);
      files.push({ name, content: await readFile(file), executable: (mode & 0o100) !== 0 });
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

function digestOf(files: readonly ScriptFile[]): string {
  const hash = createHash("sha256");
  for (const { name, content } of files) hash.update(`${name}\0${content.length}\0`).update(content);
  return hash.digest("hex");
}

/** Everybody may read a file of the input, and nobody write it. */
export function modeOf({ executable }: Pick<ScriptFile, "executable">): number {
  return executable ? 0o555 : 0o444;
}

/** In the job's folder, as long as there is a container: an engine copies out of none whose mounts are gone. */
export const INPUT_FOLDER = ".input";

/** Writes an input below a job's folder, where everybody may read it and nobody but its owner may write. Returns the path. */
export async function writeInputFolder({ files }: JobInput, jobFolder: string): Promise<string> {
  const folder = path.join(jobFolder, INPUT_FOLDER);
  await mkdir(path.join(folder, "scripts"), { recursive: true });
  const folders = new Set([folder, path.join(folder, "scripts")]);
  for (const { name, content, executable } of files) {
    const file = path.join(folder, name);
    for (let at = path.dirname(file); at !== folder; at = path.dirname(at)) folders.add(at);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
    await chmod(file, modeOf({ executable }));
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
    .map(({ name, ...file }) => ({ name: name.slice(folder.length + 1), ...file }));
  const folders = new Set<string>();
  for (const { name } of files) {
    for (let at = path.posix.dirname(name); at !== "."; at = path.posix.dirname(at)) folders.add(at);
  }
  const entries: TarEntry[] = [
    { name: ".", content: undefined, mode: 0o755, ...owner },
    ...[...folders].sort().map((name) => ({ name, content: undefined, mode: 0o755, ...owner })),
    ...files.map(({ name, content, executable }) => ({ name, content, mode: modeOf({ executable }), ...owner })),
  ];
  return tarOf(entries);
}
