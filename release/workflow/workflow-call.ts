import type { Workflow } from "./document.ts";
import type { Job } from "./job.ts";
import type { Result } from "./jobs.ts";
import type { JobRecord } from "./record.ts";
import type { JobTask } from "./session.ts";
import type { Slots } from "./slots.ts";
import type { ValueMap } from "./value.ts";

/** What carries out, or recalls, the jobs of a run. */
export interface JobHost {
  /** What is recorded of a job that an earlier run has done; nothing where it is to be run. */
  recall(key: string): JobRecord | undefined;
  run(task: JobTask): Promise<JobRecord>;
  /** Is told of a job that did not get as far as a task: left out, cancelled, or, with a message, not to be worked out. */
  left(job: Job, key: string, result: Result, message?: string): void;
  readonly called: ReadonlyMap<string, Workflow>;
  readonly slots: Slots;
  /** Ctrl-C. */
  readonly signal: AbortSignal;
}

/** How a workflow is called: by a tag, or by a job of another one. */
export interface WorkflowCall {
  /** Before the keys of its jobs, such as `release / `. */
  readonly prefix: string;
  readonly inputs: ValueMap;
  readonly secrets: ValueMap;
  readonly vars: ValueMap;
  readonly github: ValueMap;
  /** Keys of the jobs that the caller waited for. */
  readonly after: readonly string[];
  /** Whether any of them was done anew in a repeated run. */
  readonly anew: boolean;
  readonly cancel: AbortSignal;
}

/** How a workflow, or all instances of one job, ended. */
export interface End {
  readonly result: Result;
  readonly outputs: Readonly<Record<string, string>>;
  /** Keys of what ran. */
  readonly keys: readonly string[];
  readonly anew: boolean;
}

export interface JobEnd extends End {
  /** Its result and those of all jobs above it. */
  readonly above: readonly Result[];
}

/** The contexts that are the same for all jobs of a workflow. */
export function contextsOf({ github, inputs, vars, secrets }: WorkflowCall) {
  return { github, inputs, vars, secrets };
}
