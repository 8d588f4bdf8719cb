import path from "node:path";
import { KilnError } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import { engineEnvironment, type Engine } from "../../toolchain/docker-engine.ts";
import { findContainer } from "../container-run.ts";
import { takeRunLock, type RunRecord } from "../run-lock.ts";
import type { StateResult } from "./execute-options.ts";
import { RUN_LABEL, takeResponse } from "./module-container.ts";
import type { ModuleResponse } from "./response.ts";
import { RunHistory } from "./run-history.ts";
import { finalResponse } from "./run-end.ts";
import { isEnvelope, type StateEnvelope } from "./state-envelope.ts";
import { stateKey } from "./state-key.ts";
import { StateStore } from "./state-store.ts";
import { stackFolder } from "./stack-name.ts";

/** What one stack has on this machine: state, key, lock and the runs so far. */
export class StackState {
  readonly stack: string;
  readonly folder: string;
  readonly #directory: string;
  readonly #store: StateStore;

  constructor(directory: string, stack: string) {
    this.stack = stack;
    this.#directory = directory;
    this.folder = path.join(directory, stackFolder(stack));
    this.#store = new StateStore(this.folder);
  }

  /** The 32 bytes that its state is encrypted with. */
  key(env: NodeJS.ProcessEnv): Promise<Buffer> {
    return stateKey(this.#directory, this.folder, env);
  }

  read(): Promise<StateEnvelope | undefined> {
    return this.#store.read();
  }

  history(runId: string): RunHistory {
    return new RunHistory(this.folder, runId);
  }

  /** Keeps the state of a response, where it carries one; returns whether there is a newer one now. */
  async keep(response: ModuleResponse, sent: StateEnvelope | undefined): Promise<boolean> {
    return isEnvelope(response.state) && this.#store.keep(response.state, sent, this.stack);
  }

  async describe(changed: boolean): Promise<StateResult> {
    const serial = (await this.read())?.serial;
    return { folder: this.folder, changed, ...(serial === undefined ? {} : { serial }) };
  }

  /** Takes the stack for one run. What an earlier one left behind is stopped with grace, and its state kept, before that. */
  lock(options: {
    readonly runId: string;
    readonly container: string;
    readonly engine: Engine;
    readonly graceSeconds: number;
    readonly progress: Progress;
  }): Promise<{ release(): Promise<void> }> {
    const { engine, graceSeconds, ...rest } = options;
    return takeRunLock({
      ...rest,
      engine: engine.host ?? "",
      file: path.join(this.folder, "lock.json"),
      what: `the stack ${this.stack}`,
      settle: (record) => this.#settle(record, engine, graceSeconds),
    });
  }

  /** What is left of a run whose process is gone: its container is stopped, its response and state are kept. */
  async #settle({ run_id, engine: host }: RunRecord, engine: Engine, graceSeconds: number): Promise<void> {
    const env = engineEnvironment(host === "" ? engine : { ...engine, host });
    const container = await findContainer({ docker: engine.docker, env }, `${RUN_LABEL}=${run_id}`, graceSeconds);
    if (container === undefined) return;
    const facts = await container.end();
    const { response: written, fault } = await takeResponse(container);
    const response = finalResponse(written, { action: "", facts, cause: "cancelled", memory: "", fault });
    await this.history(run_id).end(response);
    if (response.action !== "preview") await this.keep(response, await this.read());
    if (await container.remove()) return;
    throw new KilnError("unreachable", `the engine does not remove the container ${container.name} of run ${run_id}`, {
      mend: `docker rm --volumes --force ${container.name}, then run the command again.`,
    });
  }
}
