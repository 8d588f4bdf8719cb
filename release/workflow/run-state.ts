import { readFile } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../../errors.ts";
import { writeWhole } from "../../execution/whole-file.ts";
import type { JobRecord } from "./record.ts";

/** What a run is of. A run with another of these is another run. */
export interface RunIdentity {
  readonly tag: string;
  readonly commit: string;
  /** Path of the workflow file. */
  readonly workflow: string;
  readonly inputs: Readonly<Record<string, string>>;
}

interface StateDocument extends RunIdentity {
  readonly version: 1;
  readonly attempt: number;
  readonly jobs: Readonly<Record<string, JobRecord>>;
}

/** What became of a tag's jobs, in a file that is whole after every job. */
export class RunState {
  readonly identity: RunIdentity;
  readonly attempt: number;
  readonly #file: string;
  readonly #jobs: Map<string, JobRecord>;
  #written: Promise<void> = Promise.resolve();

  constructor(file: string, identity: RunIdentity, before: StateDocument | undefined) {
    this.#file = file;
    this.identity = identity;
    this.attempt = (before?.attempt ?? 0) + 1;
    this.#jobs = new Map(Object.entries(before?.jobs ?? {}));
  }

  /** What was recorded of a job, in this run or one before. */
  job(key: string): JobRecord | undefined {
    return this.#jobs.get(key);
  }

  get records(): readonly JobRecord[] {
    return [...this.#jobs.values()];
  }

  async put(record: JobRecord): Promise<void> {
    this.#jobs.set(record.key, record);
    await this.write();
  }

  /** Forgets a job that is done anew: a crash meanwhile must not leave it done. */
  async drop(key: string): Promise<void> {
    if (this.#jobs.delete(key)) await this.write();
  }

  /** Writes the file; of several at once each writes what was true when its turn came. */
  async write(): Promise<void> {
    this.#written = this.#written
      .catch(() => undefined)
      .then(() => {
        const jobs = Object.fromEntries(this.#jobs);
        const document: StateDocument = { version: 1, ...this.identity, attempt: this.attempt, jobs };
        return writeWhole(this.#file, `${JSON.stringify(document, null, 2)}\n`);
      });
    await this.#written;
  }
}

/**
 * The state of a run to go on with: what is recorded, or nothing yet. Throws a usage error where the tag names another
 * commit now than the recorded run's, or where that was of another workflow or other inputs.
 */
export async function readRunState(folder: string, identity: RunIdentity): Promise<RunState> {
  const file = path.join(folder, "state.json");
  const before = await readDocument(file);
  if (before !== undefined) refuseAnother(before, identity);
  return new RunState(file, identity, before);
}

function refuseAnother(before: StateDocument, now: RunIdentity): void {
  if (before.commit !== now.commit) {
    throw new KilnError(
      "usage",
      `the tag ${now.tag} names commit ${now.commit.slice(0, 12)}, and its recorded run was of ${before.commit.slice(0, 12)}`,
      {
        mend: `A release tag stays where it is. Take a new tag, or move it back: git tag -f ${now.tag} ${before.commit}. Where nothing of it was ever pushed, --fresh begins anew.`,
      },
    );
  }
  const [old, fresh] = [inputText(before.inputs), inputText(now.inputs)];
  if (old === fresh && before.workflow === now.workflow) return;
  const what = before.workflow === now.workflow ? `with ${old}, and this one has ${fresh}` : `of ${before.workflow}`;
  throw new KilnError("usage", `the recorded run of ${now.tag} was ${what}`, {
    mend: "Repeat it with the same, or begin anew with --fresh.",
  });
}

function inputText(inputs: Readonly<Record<string, string>>): string {
  const entries = Object.entries(inputs).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.length === 0 ? "no inputs" : entries.map(([name, value]) => `--input ${name}=${value}`).join(" ");
}

async function readDocument(file: string): Promise<StateDocument | undefined> {
  try {
    const document = JSON.parse(await readFile(file, "utf8")) as Partial<StateDocument>;
    if (document.version === 1) return document as StateDocument;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new KilnError("usage", `${file} is no state that this kiln wrote`, { mend: "Begin anew with --fresh." });
}
