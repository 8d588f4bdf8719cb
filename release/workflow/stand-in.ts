import type { Artifacts } from "./artifacts.ts";
import type { JobPlaces, RunPlaces } from "./run-places.ts";

/** What a stand-in for an action gets. */
export interface ActionCall {
  readonly with: Readonly<Record<string, string>>;
  readonly job: JobPlaces & { readonly key: string };
  readonly run: RunPlaces & {
    /** The checkout that the run was started in. */
    readonly project: string;
    readonly commit: string;
    readonly repository: string;
  };
  readonly artifacts: Artifacts;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

export interface ActionEnd {
  readonly outputs: Readonly<Record<string, string>>;
  /** Name of an artifact that it uploaded. */
  readonly artifact?: string;
  /** What is to be done once the job has succeeded. */
  readonly afterJob?: () => Promise<void>;
}

/** What stands on this machine for an action of GitHub's. */
export interface StandIn {
  /** What it does here, in a line. */
  readonly here: string;
  /** Keys of `with` that it follows. */
  readonly takes: readonly string[];
  /** Keys of `with` that mean nothing here. */
  readonly ignores: readonly string[];
  run(call: ActionCall): Promise<ActionEnd>;
}

/** A stand-in for what this machine has already. */
export function nothingToDo(here: string, ignores: readonly string[]): StandIn {
  return { here, takes: [], ignores, run: () => Promise.resolve({ outputs: {} }) };
}
