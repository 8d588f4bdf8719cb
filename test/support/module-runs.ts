import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import type { ExecuteOptions, ExecutionResult } from "../../execution/module/execute-options.ts";
import { Executor } from "../../execution/module/executor.ts";
import type { ModuleEvent } from "../../execution/module/response.ts";
import type { ModuleAction, ModuleRequest } from "../../execution/module/request.ts";
import { engineEnvironment, type Engine } from "../../toolchain/docker-engine.ts";
import { run } from "../../toolchain/process.ts";
import { dockerAlone } from "./docker-alone.ts";

/** Loopback hosts treat stacks of this name as local ones: there is nothing outside that they could change. */
export const TEST_STACK = "test";

export interface ModuleRunOptions extends Partial<Omit<ExecuteOptions, "request">> {
  /** Of the request, beside action and stack. */
  readonly fields?: Partial<ModuleRequest>;
}

/** Runs of one module's image by the executor, with state in one directory. */
export class ModuleRuns {
  readonly image: string;
  /** The state directory. */
  readonly state: string;
  /** Everything that the runs so far told while they were at it. */
  readonly events: ModuleEvent[] = [];
  readonly #engine: Engine;
  readonly inputs: ModuleRequest["inputs"];

  constructor(engine: Engine, image: string, state: string, inputs: ModuleRequest["inputs"] = {}) {
    this.#engine = engine;
    this.image = image;
    this.state = state;
    this.inputs = inputs;
  }

  /** On a host that has Docker, and nothing else. */
  async perform(
    action: ModuleAction,
    { fields, onEvent, ...options }: ModuleRunOptions = {},
  ): Promise<ExecutionResult> {
    const { inputs, ...rest } = fields ?? {};
    return new Executor({ env: await dockerAlone(this.#engine, this.state) }).execute({
      engine: this.#engine,
      image: this.image,
      request: { action, stack_name: TEST_STACK, ...rest, inputs: { ...this.inputs, ...inputs } },
      state: { directory: this.state },
      limits: { graceMs: 10_000 },
      onEvent: (event) => {
        this.events.push(event);
        onEvent?.(event);
      },
      ...options,
    });
  }

  /** Names of containers of a run, whatever their state. */
  async containers(runId: string): Promise<readonly string[]> {
    const filter = `label=dev.kiln.run=${runId}`;
    const { stdout } = await this.docker("ps", "--all", "--filter", filter, "--format", "{{.Names}}");
    return stdout.split("\n").filter((name) => name !== "");
  }

  docker(...args: readonly string[]) {
    return run(this.#engine.docker, args, { env: engineEnvironment(this.#engine), allowFailure: true });
  }

  /** Files of the stack, below the state directory. */
  async files(): Promise<readonly string[]> {
    return (await readdir(path.join(this.state, TEST_STACK))).sort();
  }

  /** The state as it is kept: encrypted. */
  async envelope(): Promise<{ readonly serial: number; readonly lineage: string }> {
    const file = path.join(this.state, TEST_STACK, "state.json");
    return JSON.parse(await readFile(file, "utf8")) as { serial: number; lineage: string };
  }
}

/** The changes that are some. */
export function realChanges({ response }: ExecutionResult): readonly string[] {
  return response.changes.filter(({ action }) => action !== "no-op").map(({ action }) => action);
}
