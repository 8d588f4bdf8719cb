import type { Result } from "./jobs.ts";

/** What is kept of a step. */
export interface StepRecord {
  readonly title: string;
  /** What counts for the job. */
  readonly result: Result;
  readonly seconds: number;
  /** Why it failed; without secrets. */
  readonly failure?: string;
  /** Below the folder of the job; absent where it did not run. */
  readonly log?: string;
}

/** What is kept of a job that ended: enough for a later run not to repeat it. Outputs with secrets are not among them. */
export interface JobRecord {
  readonly key: string;
  /** Its name as people know it. */
  readonly title: string;
  /** Below the folder of the run's jobs. */
  readonly folder: string;
  readonly result: Result;
  /** Its failure does not fail the run (`continue-on-error`). */
  readonly tolerated?: true;
  readonly outputs: Readonly<Record<string, string>>;
  readonly lane: string;
  /** Names of the artifacts that it uploaded. */
  readonly artifacts: readonly string[];
  /** Keys of the jobs that it waited for. */
  readonly after: readonly string[];
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** The run of this tag that did it, from 1 on. */
  readonly attempt: number;
  readonly steps: readonly StepRecord[];
  /** Why it failed, where no step says so. */
  readonly message?: string;
}
