import type { Progress } from "../progress.ts";
import type { Engine } from "../toolchain/docker-engine.ts";
import type { RegistryClient } from "../registry/client.ts";
import type { BuildContract } from "../cache/contract.ts";
import type { Selection } from "./selection.ts";
import type { BenchOptions } from "./options.ts";

/** What a step leaves on disk belongs to a method; it goes when the last step of that method has run. */
export type Method = "common" | "published" | "corrected" | "kiln";

/** What every step works with. */
export interface StepContext {
  readonly options: BenchOptions;
  /** The work folder, absolute. */
  readonly work: string;
  readonly selection: Selection;
  readonly goRoot: string;
  readonly contract: BuildContract;
  readonly engine: Engine;
  readonly client: RegistryClient;
  /** `localhost:PORT` of the bench's own registry. */
  readonly registry: string;
  /** The default base image, as the engine has it. */
  readonly baseImage: string;
  readonly progress: Progress;
  /** What an earlier step found. Throws where it did not run. */
  readonly result: <T>(step: Step<T>) => T;
  /** What every step found so far, by the steps' ids. */
  readonly known: () => readonly (readonly [string, unknown])[];
}

/** A piece of work that a resumed run does not repeat. Its result is plain JSON. */
export interface Step<T> {
  /** Such as `published/merge`: names the result in the state file. */
  readonly id: string;
  readonly title: string;
  readonly method: Method;
  /** Steps whose results and whose files this one needs. */
  readonly after?: readonly Step<unknown>[];
  /** Steps of which it needs the result alone. */
  readonly reads?: readonly Step<unknown>[];
  /** Whether what it left on disk is still there; always, where it leaves nothing. */
  standing?(context: StepContext): Promise<boolean>;
  run(context: StepContext): Promise<T>;
}
