import { chmod, lstat, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { KilnError, messageOf } from "../../errors.ts";
import { stillRuns, thisOwner, type LockOwner } from "../../toolchain/lock.ts";
import { writeWhole } from "../whole-file.ts";
import { parseDescription, type JobDescription } from "./description.ts";
import { parseResult, type JobResult, type JobStatus } from "./result.ts";

/** Who looks after a job, and in which container: written before that is made. */
export interface JobOwner extends LockOwner {
  readonly container: string;
}

/** A job of the past, or one that runs, as its folder has it. */
export interface RecordedJob {
  readonly folder: string;
  readonly description: JobDescription;
  /** Absent while it runs, and where whoever ran it was killed. */
  readonly result: JobResult | undefined;
  /** `lost` where nobody looks after it any more: the next run on its machine does. */
  readonly status: JobStatus | "lost";
}

/** A job's folder that cannot be understood, such as one whose disk was full, and why. */
export interface UnreadableJob {
  readonly folder: string;
  /** As far as it can be told: of its `job.json`, else of the folder's name. */
  readonly job_id: string;
  readonly status: "unreadable";
  /** Names the file. */
  readonly fault: string;
}

/** One job's folder, which its owner alone reads: job.json, result.json, stdout.log, stderr.log, events.ndjson, artifacts/. */
export class JobHistory {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** A new folder for a job. Two jobs never share one, whatever their ids. */
  static async begin(root: string, description: JobDescription, container: string): Promise<JobHistory> {
    await mkdir(root, { recursive: true, mode: 0o700 });
    const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, "");
    const base = `${time}-${description.job_id}`;
    for (let number = 1; ; number++) {
      const folder = path.join(root, number === 1 ? base : `${base}-${number}`);
      try {
        await mkdir(folder, { mode: 0o700 });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "EEXIST") continue;
        throw error;
      }
      const history = new JobHistory(folder);
      const owner: JobOwner = { ...thisOwner(), container };
      await history.#note("owner.json", owner);
      await history.describe(description);
      return history;
    }
  }

  /** Says what the job is once more is known of it: a replay reads that. */
  async describe(description: JobDescription): Promise<void> {
    await this.#note("job.json", description);
  }

  /** Keeps the result: with it the job counts as ended. */
  async end(result: JobResult): Promise<void> {
    await this.#write("result.json", result);
    await rm(path.join(this.folder, "owner.json"), { force: true });
  }

  async #write(name: string, document: unknown): Promise<void> {
    await writeWhole(path.join(this.folder, name), textOf(document));
  }

  /** Whole too, but not waiting for the disk: what a crash of the machine loses here is a job that has hardly begun. */
  async #note(name: string, document: unknown): Promise<void> {
    const neighbour = path.join(this.folder, `.${name}`);
    await writeFile(neighbour, textOf(document), { mode: 0o600 });
    await rename(neighbour, path.join(this.folder, name));
  }
}

function textOf(document: unknown): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Every job below a folder that can be understood, the oldest first. */
export async function readHistory(root: string): Promise<readonly RecordedJob[]> {
  return (await readWholeHistory(root)).filter((job) => job.status !== "unreadable");
}

/** The same with those that are damaged. What is no job's folder is left out. Throws a usage error where `root` is no folder. */
export async function readWholeHistory(root: string): Promise<readonly (RecordedJob | UnreadableJob)[]> {
  const names = await readdir(root).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new KilnError("usage", `${root} is no history of jobs: ${messageOf(error)}`);
  });
  const jobs = await Promise.all(
    names.sort().map(async (name) => {
      const folder = path.join(root, name);
      return readJob(folder).catch((error: unknown) => damaged(folder, error));
    }),
  );
  return jobs.filter((job) => job !== undefined);
}

/** Undefined for what a job has never been in. */
async function damaged(folder: string, error: unknown): Promise<UnreadableJob | undefined> {
  const files = await Promise.all(["job.json", "result.json"].map((name) => isThere(path.join(folder, name))));
  if (!files.includes(true)) return undefined;
  return { folder, job_id: await idOf(folder), status: "unreadable", fault: messageOf(error) };
}

async function isThere(file: string): Promise<boolean> {
  return lstat(file).then(
    () => true,
    (error: unknown) => !isMissing(error),
  );
}

function isMissing(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "");
}

async function idOf(folder: string): Promise<string> {
  const told = await readFile(path.join(folder, "job.json"), "utf8")
    .then((text) => (JSON.parse(text) as { readonly job_id?: unknown } | null)?.job_id)
    .catch(() => undefined);
  return typeof told === "string" ? told : path.basename(folder).replace(/^\d{8}T\d{6}Z-/, "");
}

/** The job of a folder. Throws a usage error where it is none, or which of its files is damaged, and how. */
export async function readJob(folder: string): Promise<RecordedJob> {
  const description = await readRecord(folder, "job.json", parseDescription);
  if (description === undefined) {
    throw new KilnError("usage", `${folder} is no job's folder: it has no job.json`, {
      mend: "`kiln job list` shows the folders of past jobs.",
    });
  }
  const result = await readRecord(folder, "result.json", parseResult);
  if (result !== undefined) return { folder, description, result, status: result.status };
  const status = (await isLookedAfter(folder)) ? "running" : "lost";
  return { folder, description, result: undefined, status };
}

/** Undefined where there is no such file. */
async function readRecord<T>(folder: string, name: string, parse: (text: string) => T): Promise<T | undefined> {
  const file = path.join(folder, name);
  try {
    return parse(await readFile(file, "utf8"));
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw new KilnError("usage", `${file} cannot be read as this kiln reads it: ${messageOf(cause)}`, {
      mend: "Put that file right, or remove the job's folder; logs and artifacts beside it are as they were.",
      cause,
    });
  }
}

/** Whether the process that writes in a folder lives; of another machine's nothing can be said, so it counts as living. */
async function isLookedAfter(folder: string): Promise<boolean> {
  try {
    const owner = JSON.parse(await readFile(path.join(folder, "owner.json"), "utf8")) as JobOwner;
    const here = thisOwner();
    return owner.space !== here.space || owner.host !== here.host || stillRuns(owner);
  } catch {
    return false;
  }
}

/** The job below a folder that nobody looks after any more and that ran in this container; undefined where there is none. */
export async function findLost(root: string, container: string): Promise<RecordedJob | undefined> {
  const lost = (await readHistory(root)).filter(({ status }) => status === "lost");
  const containers = await Promise.all(lost.map(({ folder }) => containerOf(folder).catch(() => undefined)));
  return lost.find((_, index) => containers[index] === container);
}

async function containerOf(folder: string): Promise<string> {
  return (JSON.parse(await readFile(path.join(folder, "owner.json"), "utf8")) as JobOwner).container;
}

/** Removes the oldest jobs that have ended, all but `keep` of them, and returns their folders. */
export async function pruneHistory(root: string, keep: number): Promise<readonly string[]> {
  const ended = (await readHistory(root)).filter(({ result }) => result !== undefined);
  const gone = ended.slice(0, Math.max(0, ended.length - keep)).map(({ folder }) => folder);
  for (const folder of gone) {
    await chmod(folder, 0o700).catch(() => undefined);
    await rm(folder, { recursive: true, force: true });
  }
  return gone;
}

/**
 * The job that a person means: a folder, or the id of the last job of that id below `root`. Throws a usage error where there is
 * none, or says what is wrong with it where it is damaged.
 */
export async function findJob(root: string, wanted: string): Promise<RecordedJob> {
  const isPath = wanted.includes("/") || wanted.startsWith(".");
  if (isPath) return readJob(path.resolve(wanted));
  const found = (await readWholeHistory(root)).findLast(
    (job) => path.basename(job.folder) === wanted || jobIdOf(job) === wanted,
  );
  // Once more, for its error.
  if (found?.status === "unreadable") return readJob(found.folder);
  if (found !== undefined) return found;
  throw new KilnError("usage", `there is no job ${wanted} in ${root}`, {
    mend: "`kiln job list` shows what there is; --history names another folder.",
  });
}

function jobIdOf(job: RecordedJob | UnreadableJob): string {
  return job.status === "unreadable" ? job.job_id : job.description.job_id;
}
