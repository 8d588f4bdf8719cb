import path from "node:path";
import { withLock } from "../../toolchain/lock.ts";
import { ownPlatform } from "../../toolchain/platforms.ts";
import { removeFolder } from "../../toolchain/remove-folder.ts";
import type { Workflow } from "./document.ts";
import { foreignLabel } from "./foreign-label.ts";
import type { Job } from "./job.ts";
import { runJob } from "./job-run.ts";
import type { Result } from "./jobs.ts";
import type { JobRecord } from "./record.ts";
import { folderName, jobPlaces } from "./run-places.ts";
import type { JobTask, Session } from "./session.ts";
import type { Slots } from "./slots.ts";
import type { TimelineJob } from "./timeline.ts";
import type { JobHost } from "./workflow-call.ts";

/** Runs jobs or recalls them from what is recorded, records them, and keeps what the timeline shows. */
export class JobHistory implements JobHost {
  readonly called: ReadonlyMap<string, Workflow>;
  readonly slots: Slots;
  readonly #session: Session;
  readonly #jobs = new Map<string, TimelineJob>();
  readonly #failures: string[] = [];
  readonly #folders: Set<string>;

  constructor(session: Session, called: ReadonlyMap<string, Workflow>, slots: Slots) {
    this.#session = session;
    this.called = called;
    this.slots = slots;
    this.#folders = new Set(session.state.records.map(({ folder }) => folder));
  }

  get signal(): AbortSignal {
    return this.#session.signal;
  }

  get jobs(): readonly TimelineJob[] {
    return [...this.#jobs.values()];
  }

  /** A line for every job that failed, with its step. */
  get failures(): readonly string[] {
    return this.#failures;
  }

  recall(key: string): JobRecord | undefined {
    const before = this.#session.state.job(key);
    if (before?.result !== "success") return undefined;
    this.#session.progress.note(`${before.title}: done in run ${before.attempt}`);
    this.#jobs.set(key, { ...before, recalled: true });
    return before;
  }

  async run(task: JobTask): Promise<JobRecord> {
    const { state, progress, artifacts } = this.#session;
    const { key } = task.instance;
    progress.step(headingOf(task));
    const folder = this.#folderFor(key);
    await state.drop(key);
    await artifacts.removeOf(key);
    const record = await this.#inGroup(task, () => runJob(task, this.#session, folder));
    await state.put(record);
    this.#jobs.set(key, { ...record, recalled: false });
    const seconds = ((record.endedAt - record.startedAt) / 1000).toFixed(1);
    progress.note(`${record.title}: ${record.tolerated ? "failure, which may be" : record.result} after ${seconds} s`);
    if (record.result === "failure" && record.tolerated === undefined) this.#failures.push(failureText(record));
    return record;
  }

  /** Runs a job once no other of its group runs, of this run or of another: two releases update one stack. */
  #inGroup<T>({ group = "" }: JobTask, work: () => Promise<T>): Promise<T> {
    if (group === "") return work();
    const { folders, progress } = this.#session;
    return withLock(path.join(folders.groups, `${folderName(group)}.lock`), progress, `the group ${group}`, work);
  }

  /** A job that never became a task: left out, or its own keys could not be worked out. */
  left(job: Job, key: string, result: Result, message?: string): void {
    const title = message === undefined || job.name === undefined || job.name.includes("${{") ? key : job.name;
    this.#jobs.set(key, { key, title, result, after: [], recalled: false });
    if (message === undefined) return;
    const shown = this.#session.masks.redactor.text(message);
    this.#session.progress.note(`${title}: ${shown}`);
    this.#failures.push(`${title}: ${shown}`);
  }

  #folderFor(key: string): string {
    const folder = this.#session.state.job(key)?.folder ?? folderName(key, this.#folders);
    this.#folders.add(folder);
    return folder;
  }
}

function headingOf({ title, lane, labels, environment }: JobTask): string {
  const foreign = foreignLabel(labels);
  const facts = [
    ...(lane === "" ? [] : [`lane ${lane}`]),
    ...(foreign === undefined
      ? []
      : [
          `for ${foreign}; this machine is ${ownPlatform()}: it compiles for it, and needs emulation to build or run an image`,
        ]),
    ...(environment === undefined ? [] : [`environment ${environment}: nobody is asked for approval here`]),
  ];
  return facts.length === 0 ? title : `${title} (${facts.join("; ")})`;
}

function failureText({ title, steps, message }: JobRecord): string {
  const step = steps.find(({ result }) => result === "failure");
  const parts = [title, ...(step === undefined ? [] : [`the step "${step.title}" ${step.failure ?? "failed"}`])];
  return [...parts, ...(message === undefined ? [] : [message])].join(": ");
}

/** Forgets jobs that are recorded as done and whose artifacts are gone: they are done anew. */
export async function dropIncomplete(session: Session): Promise<void> {
  const there = new Set((await session.artifacts.all()).map(({ name }) => name));
  for (const record of session.state.records) {
    const gone = record.artifacts.find((name) => !there.has(name));
    if (gone === undefined) continue;
    session.progress.note(`${record.title}: its artifact ${gone} is gone; it is repeated`);
    await session.state.drop(record.key);
    await removeFolder(jobPlaces(session.folders, record.folder).root);
  }
}
