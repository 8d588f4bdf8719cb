import type { Progress } from "../../progress.ts";
import type { Sandbox } from "../sandbox.ts";
import type { JobDescription } from "./description.ts";
import type { JobEvent } from "./job-output.ts";
import type { JobResult } from "./result.ts";
import type { SecretValues } from "./secret-document.ts";

export interface JobRunOptions {
  readonly description: JobDescription;
  /** Values of the description's secrets, by name. */
  readonly secrets?: SecretValues | undefined;
  /** Below which folder the job's own is made. */
  readonly history: string;
  /** Called with each event as it comes, secrets replaced. */
  readonly onEvent?: ((event: JobEvent) => void) | undefined;
  /** Cancels the job, as Ctrl-C does: the script is asked to end and has its grace. */
  readonly signal?: AbortSignal | undefined;
  readonly progress?: Progress | undefined;
}

/** How a job went, whichever runner it had. */
export interface JobRun {
  readonly result: JobResult;
  /** With what the image and the script turned out to be. */
  readonly description: JobDescription;
  /** The job's folder in the history. */
  readonly folder: string;
  readonly runner: "docker" | "kubernetes";
  /** Name of its container, or of its Kubernetes Job. */
  readonly container: string;
  readonly sandbox: Sandbox;
}
