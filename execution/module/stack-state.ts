import path from "node:path";
import { KilnError } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import { engineEnvironment, type Engine } from "../../toolchain/docker-engine.ts";
import { findContainer, type ContainerIdentity } from "../container-run.ts";
import { engineId } from "../engine-id.ts";
import { takeRunLock, type RunLock, type RunRecord } from "../run-lock.ts";
import type { StateResult } from "./execute-options.ts";
import { takeResponse, WORKSPACE } from "./module-container.ts";
import type { ModuleResponse } from "./response.ts";
import { RunHistory } from "./run-history.ts";
import { finalResponse } from "./run-end.ts";
import { sealedResponse } from "./sealed-state.ts";
import { isEnvelope, type StateEnvelope } from "./state-envelope.ts";
import { noState, stateFault, UNSEALED, type StateFault } from "./state-fault.ts";
import { stateKey } from "./state-key.ts";
import { StateStore } from "./state-store.ts";
import { stackFolder } from "./stack-name.ts";

/** What one stack has on this machine: state, key, lock and the runs so far. */
export class StackState {
  readonly stack: string;
  readonly folder: string;
  readonly #directory: string;
  readonly #lockFile: string;
  readonly #store: StateStore;

  constructor(directory: string, stack: string) {
    this.stack = stack;
    this.#directory = directory;
    this.folder = path.join(directory, stackFolder(stack));
    this.#lockFile = path.join(this.folder, "lock.json");
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

  /**
   * Takes a run's answer: its state is sealed, where it is not, and kept, where it is one to keep. Says whether there is a
   * newer state now, or what was wrong. `sent` is what the run began with.
   */
  async take(answer: ModuleResponse, { sent, key, keeps, brings }: Taking): Promise<TakenState> {
    const { response, wasPlain } = sealedResponse(answer, { key, stack: this.stack, sent });
    const taken = { response, changed: false };
    if (!keeps) return taken;
    if (wasPlain) return { ...taken, fault: UNSEALED };
    if (!isEnvelope(response.state)) {
      return brings && response.success ? { ...taken, fault: noState(response.action) } : taken;
    }
    try {
      return { response, changed: await this.#store.keep(response.state, sent, this.stack) };
    } catch (error) {
      return { ...taken, fault: stateFault(error, this.folder) };
    }
  }

  /** Where it stands; without serial where there is none, or none that can be read. */
  async describe(changed: boolean): Promise<StateResult> {
    const serial = (await this.read().catch(() => undefined))?.serial;
    return { folder: this.folder, changed, ...(serial === undefined ? {} : { serial }) };
  }

  /** Takes the stack for one run. What an earlier one left behind is stopped with grace, and its state kept, before that. */
  lock({ runId, container, engine, id, ...options }: LockOptions): Promise<RunLock> {
    const { name, instance } = container;
    return takeRunLock({
      run: { run_id: runId, container: name, instance, engine: engine.host ?? "", engine_id: id },
      file: this.#lockFile,
      what: `the stack ${this.stack}`,
      progress: options.progress,
      settle: (record) => this.#settle(record, engine, options),
    });
  }

  /**
   * What is left of a run whose process is gone, or which could not save it: its container is stopped, its state saved, then
   * its response, and only then the container removed. Where the state cannot be had, it stays, and a person decides.
   */
  async #settle(record: RunRecord, engine: Engine, { graceSeconds, progress, key }: SettleOptions): Promise<void> {
    const { run_id: run, engine: host } = record;
    const env = engineEnvironment(host === "" ? engine : { ...engine, host });
    const docker = { docker: engine.docker, env };
    // That another engine has no such container proves nothing.
    if ((await engineId(docker)) !== record.engine_id) throw elsewhere(record, this.#lockFile);
    const container = await findContainer(docker, record, { graceSeconds });
    if (container === undefined) return;
    const facts = await container.end();
    const { response: written, fault } = await takeResponse(container);
    if (fault !== undefined) throw unread(container.name, run, fault);
    const answer = finalResponse(written, { action: "", facts, cause: "cancelled", memory: "" });
    const keeps = answer.action !== "preview";
    const taken = await this.take(answer, { sent: await this.read(), key, keeps, brings: false });
    if (taken.fault?.refused === false) throw new KilnError("failed", taken.fault.message);
    const recorded = await this.history(run).end(taken.response, progress);
    // A state that is refused would be refused for ever: once it is in the history, the container has nothing of its own.
    if (taken.fault !== undefined && !recorded) throw new KilnError("failed", taken.fault.message);
    if (!(await container.remove())) throw unremoved(container.name, run);
    if (taken.fault !== undefined) throw new KilnError("failed", `run ${run} was broken off: ${taken.fault.message}`);
  }
}

interface Taking {
  readonly sent: StateEnvelope | undefined;
  readonly key: Buffer;
  /** Whether its state is to be kept, and whether a success must have one. */
  readonly keeps: boolean;
  readonly brings: boolean;
}

/** What became of an answer's state. */
export interface TakenState {
  /** The answer, its state sealed. */
  readonly response: ModuleResponse;
  readonly changed: boolean;
  readonly fault?: StateFault | undefined;
}

interface SettleOptions {
  readonly graceSeconds: number;
  readonly progress: Progress;
  readonly key: Buffer;
}

interface LockOptions extends SettleOptions {
  readonly runId: string;
  readonly container: ContainerIdentity;
  readonly engine: Engine;
  /** Of the engine. */
  readonly id: string;
}

function elsewhere({ run_id: run, container, engine }: RunRecord, file: string): KilnError {
  const where = engine === "" ? "" : ` (DOCKER_HOST=${engine})`;
  return new KilnError(
    "failed",
    `run ${run} left the container ${container} on another engine than docker reaches now`,
    {
      mend: `Select that engine${where}, then run the command again: docker context ls. Where it is gone for good, remove ${file}.`,
    },
  );
}

function unread(container: string, run: string, fault: string): KilnError {
  return new KilnError("failed", `run ${run} left the container ${container} with state in it, but ${fault}`, {
    mend: `Look at it: docker cp ${container}:${WORKSPACE}/output.json . Once its state is saved or not needed, docker rm --volumes --force ${container}, then run the command again.`,
  });
}

function unremoved(container: string, run: string): KilnError {
  return new KilnError("unreachable", `the engine does not remove the container ${container} of run ${run}`, {
    mend: `docker rm --volumes --force ${container}, then run the command again.`,
  });
}
