import type { Progress } from "../../progress.ts";
import type { Places } from "../../toolchain/places.ts";
import type { Artifacts } from "./artifacts.ts";
import type { Instance } from "./jobs.ts";
import type { StepJob } from "./job.ts";
import type { RunPlaces } from "./run-places.ts";
import type { RunState } from "./run-state.ts";
import type { Masks } from "./step-log.ts";
import type { ValueMap } from "./value.ts";
import type { Workflow } from "./document.ts";

/** What every job of a run shares. */
export interface Session {
  readonly places: Places;
  readonly folders: RunPlaces;
  readonly commit: string;
  readonly repository: string;
  /** The environment of whoever started the run; a job sees little of it (`jobEnvironment`). */
  readonly env: NodeJS.ProcessEnv;
  readonly masks: Masks;
  readonly artifacts: Artifacts;
  readonly state: RunState;
  readonly progress: Progress;
  /** Ctrl-C. */
  readonly signal: AbortSignal;
}

/** One job of steps, ready to run. */
export interface JobTask {
  readonly workflow: Workflow;
  readonly job: StepJob;
  readonly instance: Instance;
  readonly title: string;
  readonly lane: string;
  /** What it asks of its runner, as GitHub reads it. */
  readonly labels: readonly string[];
  /** Of whose approval a job on GitHub would wait. */
  readonly environment?: string;
  /** Its concurrency group. */
  readonly group?: string;
  readonly after: readonly string[];
  /** Contexts that are the same for all its steps. */
  readonly contexts: Readonly<Record<string, ValueMap>>;
  /** Ends the job while others go on: another of its matrix has failed. */
  readonly cancel: AbortSignal;
}
