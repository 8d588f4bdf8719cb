import { copyFile, mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { digestOf } from "../../cache/explain/listed-build.ts";
import { KilnError } from "../../errors.ts";
import { writeWhole } from "../../execution/whole-file.ts";
import type { Selected } from "./artifact-files.ts";

interface StoredFile {
  /** Below the artifact, with `/`. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** What an artifact holds and whose it is. */
export interface Artifact {
  readonly name: string;
  /** Key of the job that uploaded it. */
  readonly job: string;
  readonly files: readonly StoredFile[];
}

const LIST = "artifact.json";

/** Artifacts of one run: a folder each, with a list of what is in it. An artifact is there as a whole or not at all. */
export class Artifacts {
  readonly #folder: string;
  readonly #onCorrupt: (job: string) => Promise<void>;

  /** `onCorrupt` is told the job whose artifact is not what it uploaded. */
  constructor(folder: string, onCorrupt: (job: string) => Promise<void>) {
    this.#folder = folder;
    this.#onCorrupt = onCorrupt;
  }

  /** Keeps files as an artifact. Their modes are lost, as in GitHub's archives. Refuses a name that another job has taken. */
  async put(name: string, job: string, { root, files }: Selected, overwrite: boolean): Promise<Artifact> {
    if (!/^[^"\\/:<>|*?\r\n]+$/.test(name) || name.startsWith(".")) {
      throw new KilnError("failed", `"${name}" is no name for an artifact`, { mend: 'Leave out " \\ / : < > | * ?.' });
    }
    const there = await this.#read(name);
    if (there !== undefined && !overwrite) {
      throw new KilnError("failed", `the job ${there.job} has uploaded an artifact ${name} already`, {
        mend: "Give each job of a matrix a name of its own, or set overwrite: true.",
      });
    }
    const partial = `${this.#place(name)}.partial`;
    await rm(partial, { recursive: true, force: true });
    const stored: StoredFile[] = [];
    for (const file of files) {
      const inside = path.relative(root, file);
      const to = path.join(partial, "files", inside);
      await mkdir(path.dirname(to), { recursive: true });
      await copyFile(file, to);
      stored.push({ path: inside, bytes: (await stat(to)).size, sha256: await digestOf(file) });
    }
    const artifact = { name, job, files: stored };
    await writeWhole(path.join(partial, LIST), `${JSON.stringify(artifact, null, 2)}\n`);
    await rm(this.#place(name), { recursive: true, force: true });
    await rename(partial, this.#place(name));
    return artifact;
  }

  /** Copies an artifact into a folder. Throws an error that names the artifact and its job where anything is not as uploaded. */
  async get(artifact: Artifact, to: string): Promise<void> {
    for (const file of artifact.files) {
      const target = path.join(to, file.path);
      await mkdir(path.dirname(target), { recursive: true });
      try {
        await copyFile(path.join(this.#place(artifact.name), "files", file.path), target);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
        throw await this.#corrupt(artifact, `has lost ${file.path}`);
      }
      if ((await digestOf(target)) === file.sha256) continue;
      throw await this.#corrupt(artifact, `has another ${file.path} than was uploaded`);
    }
  }

  async named(name: string): Promise<Artifact> {
    const found = await this.#read(name);
    if (found !== undefined) return found;
    const others = (await this.all()).map((one) => one.name);
    throw new KilnError("failed", `there is no artifact ${name}`, {
      mend: others.length === 0 ? "No job has uploaded any." : `There are ${others.join(", ")}.`,
    });
  }

  async all(): Promise<readonly Artifact[]> {
    const names = await readdir(this.#folder).catch(() => []);
    const found = await Promise.all(names.filter((name) => !name.endsWith(".partial")).map((name) => this.#read(name)));
    return found.filter((one) => one !== undefined).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Removes what a job uploaded, before it is done anew. */
  async removeOf(job: string): Promise<void> {
    for (const { name } of (await this.all()).filter((one) => one.job === job)) {
      await rm(this.#place(name), { recursive: true, force: true });
    }
  }

  async #corrupt({ name, job }: Artifact, what: string): Promise<KilnError> {
    await this.#onCorrupt(job);
    return new KilnError("failed", `the artifact ${name} of the job ${job} ${what}`, {
      mend: `Run the same again: ${job} is then repeated, and makes it anew.`,
    });
  }

  async #read(name: string): Promise<Artifact | undefined> {
    try {
      return JSON.parse(await readFile(path.join(this.#place(name), LIST), "utf8")) as Artifact;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      if (!(error instanceof SyntaxError)) throw error;
      throw new KilnError("failed", `the list of the artifact ${name} cannot be read`, {
        mend: "Begin anew with --fresh.",
      });
    }
  }

  #place(name: string): string {
    return path.join(this.#folder, name);
  }
}

/** How many bytes an artifact has. */
export function artifactBytes({ files }: Artifact): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}
