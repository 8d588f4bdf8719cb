import type { Progress } from "../../progress.ts";
import type { Engine } from "../../toolchain/docker-engine.ts";
import type { ContainerFacts } from "../container-facts.ts";
import type { IdentifiedImage } from "../image-identity.ts";
import type { Limits, Sandbox } from "../sandbox.ts";
import type { CredentialName } from "./credential-names.ts";
import type { ModuleRequest } from "./request.ts";
import type { Secrets } from "./request-plan.ts";
import type { ModuleEvent, ModuleResponse } from "./response.ts";
import type { OpenOutput } from "./sealed-output.ts";

export interface RunLimits extends Limits {
  /** Of the whole run; an hour when absent. The tool is asked to end, has its grace, and state is saved. */
  readonly timeoutMs?: number | undefined;
  /** What the tool has to end cleanly; 30 seconds when absent. */
  readonly graceMs?: number | undefined;
}

export interface ExecuteOptions {
  /** A reference or an image id. What it means now is what runs, by id. */
  readonly image: string;
  /** The image id or registry digest that it must have. */
  readonly digest?: string | undefined;
  readonly request: ModuleRequest;
  /** A kiln-entrypoint for Linux on this machine, put into the container in place of what the image would start. */
  readonly entrypoint?: string | undefined;
  readonly secrets?: Secrets | undefined;
  /** Sets of this machine's credentials that the module gets. */
  readonly credentials?: readonly CredentialName[] | undefined;
  /** Where carried state, locks and past runs stand. */
  readonly state?: { readonly directory: string } | undefined;
  readonly limits?: RunLimits | undefined;
  /** `bridge` (default), `none`, or the name of a network. */
  readonly network?: string | undefined;
  /** Called with each event as it comes, secrets replaced. */
  readonly onEvent?: ((event: ModuleEvent) => void) | undefined;
  /** Cancels the run, as Ctrl-C does: the tool is asked to end and has its grace. */
  readonly signal?: AbortSignal | undefined;
  readonly engine: Engine;
  readonly progress?: Progress | undefined;
}

export interface ExecutionResult {
  /** As the entrypoint wrote it, completed by how its container ended; secrets replaced, sensitive outputs encrypted. */
  readonly response: ModuleResponse;
  /** Every output, the sensitive ones decrypted. */
  readonly outputs: Readonly<Record<string, OpenOutput>>;
  /** Of the container. */
  readonly exitCode: number;
  readonly runId: string;
  readonly image: IdentifiedImage;
  /** `kept` where it was not removed, because its state could not be saved: the stack's next run does that first. */
  readonly container: ContainerFacts & { readonly name: string; readonly kept: boolean };
  readonly sandbox: Sandbox;
  /** Of a run with a state directory. */
  readonly state?: StateResult;
  /** Whether the state of the response is the caller's to keep, and to give to the next run. */
  readonly carried: boolean;
}

export interface StateResult {
  /** Of the stack, below the state directory. */
  readonly folder: string;
  /** Of the state that is kept now; absent where there is none. */
  readonly serial?: number;
  readonly changed: boolean;
}
