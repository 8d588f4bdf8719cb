import { KilnError } from "../errors.ts";
import type { RunResult } from "../toolchain/process.ts";
import { CALL_MS, dockerCall } from "./docker-call.ts";
import type { ContainerEngine } from "./offline-container.ts";
import { sandboxFlags, type Sandbox } from "./sandbox.ts";

export interface ContainerPlan {
  /** An image id: what was verified is what runs. */
  readonly image: string;
  readonly sandbox: Sandbox;
  /** Everybody who may ask the engine sees these: no secret goes here. */
  readonly environment: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Folders that can be written to and read after the end; they go with the container. */
  readonly volumes: readonly string[];
  /** A program in place of the image's own. */
  readonly entrypoint?: string | undefined;
  readonly args?: readonly string[];
}

/** How a container stands, or how it ended. */
export interface ContainerFacts {
  readonly running: boolean;
  readonly exitCode: number;
  /** Whether the kernel ended it for its memory limit. */
  readonly outOfMemory: boolean;
  /** Why it could not be started; empty otherwise. */
  readonly error: string;
  readonly startedAt: string;
  readonly finishedAt: string;
}

export interface AttachedRun {
  /** The whole of standard input. */
  readonly input: Buffer;
  readonly onStdoutLine: (line: string) => void;
  readonly onStderrLine: (line: string) => void;
  /** Stops the container, with its grace. */
  readonly stop: AbortSignal;
}

/** What an engine may take beyond a grace period, and the client beyond the end of its container. */
const MARGIN_MS = 15_000;
const STOP_EVERY_MS = 500;

/** The container with a label's value, whatever its state; undefined where the engine has none. */
export async function findContainer(
  engine: ContainerEngine,
  label: string,
  graceSeconds: number,
): Promise<Container | undefined> {
  const args = ["ps", "--all", "--no-trunc", "--filter", `label=${label}`, "--format", "{{.Names}}"];
  const name = (await dockerCall(engine, args)).stdout.trim().split("\n")[0] ?? "";
  return name === "" ? undefined : new Container(engine, name, graceSeconds);
}

/** A container of an engine. Each call has its own time limit and goes on after Ctrl-C. */
export class Container {
  readonly name: string;
  readonly #engine: ContainerEngine;
  readonly #graceSeconds: number;

  /** `graceSeconds` is what its program has between SIGTERM and SIGKILL. */
  constructor(engine: ContainerEngine, name: string, graceSeconds: number) {
    this.#engine = engine;
    this.name = name;
    this.#graceSeconds = graceSeconds;
  }

  /** Makes it, without starting it. Its logs stay with who is attached: the engine keeps no copy. */
  async create(plan: ContainerPlan): Promise<void> {
    const { environment, labels, entrypoint } = plan;
    await dockerCall(this.#engine, [
      ...["create", "--name", this.name, "--pull", "never", "--interactive", "--log-driver", "none"],
      ...sandboxFlags(plan.sandbox),
      ...["--stop-timeout", String(this.#graceSeconds)],
      ...plan.volumes.flatMap((folder) => ["--volume", folder]),
      ...Object.entries(labels).flatMap(([name, value]) => ["--label", `${name}=${value}`]),
      ...Object.entries(environment).flatMap(([name, value]) => ["--env", `${name}=${value}`]),
      ...(entrypoint === undefined ? [] : ["--entrypoint", entrypoint]),
      plan.image,
      ...(plan.args ?? []),
    ]);
  }

  /** Unpacks a tar below a folder; owners and modes are those of the tar. */
  async copyIn(tar: Buffer, folder: string): Promise<void> {
    await dockerCall(this.#engine, ["cp", "-", `${this.name}:${folder}`], { input: tar });
  }

  /** Writes a tar of one file to `outputFile` and returns whether the container has the file. */
  async copyOut(file: string, outputFile: string): Promise<boolean> {
    const args = ["cp", `${this.name}:${file}`, "-"];
    const result = await dockerCall(this.#engine, args, { outputFile, allowFailure: true });
    if (result.code === 0) return true;
    if (/could not find the file|no such container:path|no such file|not found/i.test(result.stderr)) return false;
    throw new KilnError("failed", `docker cp of ${file} failed: ${result.stderr.trim()}`);
  }

  /**
   * Starts it, gives its lines as they come, and returns how it ended, all lines included. That the client is cut off
   * ends nothing: the container is waited for.
   */
  async run({ input, onStdoutLine, onStderrLine, stop }: AttachedRun): Promise<ContainerFacts> {
    const giveUp = new AbortController();
    const attached = dockerCall(this.#engine, ["start", "--attach", "--interactive", this.name], {
      ...{ input, onStdoutLine, onStderrLine, discardOutput: true },
      ...{ withinMs: Infinity, until: giveUp.signal, allowFailure: true },
    });
    const ended = this.#untilEnd(attached, giveUp.signal);
    if (await isFirst(ended, stop)) return ended;
    await this.#stopUntil(ended);
    const timer = setTimeout(() => {
      giveUp.abort();
    }, MARGIN_MS);
    return ended.finally(() => {
      clearTimeout(timer);
    });
  }

  /** SIGTERM, and SIGKILL after the grace period. Nothing where it does not run. */
  async stop(): Promise<void> {
    const grace = this.#graceSeconds;
    await dockerCall(this.#engine, ["stop", "-t", String(grace), this.name], {
      withinMs: grace * 1000 + MARGIN_MS,
      allowFailure: true,
    });
  }

  /** Stops it where it runs, and returns how it ended. */
  async end(): Promise<ContainerFacts> {
    let facts = await this.facts();
    const limit = Date.now() + CALL_MS;
    while (facts.running) {
      await this.stop();
      facts = await this.facts();
      if (facts.running && Date.now() > limit) throw unstoppable(this.name);
    }
    return facts;
  }

  async facts(): Promise<ContainerFacts> {
    const args = ["container", "inspect", "--format", "{{json .State}}", this.name];
    const state = JSON.parse((await dockerCall(this.#engine, args)).stdout) as Readonly<Record<string, unknown>>;
    return {
      running: state.Running === true,
      exitCode: typeof state.ExitCode === "number" ? state.ExitCode : -1,
      outOfMemory: state.OOMKilled === true,
      error: typeof state.Error === "string" ? state.Error : "",
      startedAt: typeof state.StartedAt === "string" ? state.StartedAt : "",
      finishedAt: typeof state.FinishedAt === "string" ? state.FinishedAt : "",
    };
  }

  /** Removes it with its volumes, running or not, and returns whether it is gone. */
  async remove(): Promise<boolean> {
    const args = ["rm", "--volumes", "--force", this.name];
    const result = await dockerCall(this.#engine, args, { allowFailure: true }).catch(() => undefined);
    return result !== undefined && (result.code === 0 || /no such container/i.test(result.stderr));
  }

  /** The client's end is no proof of the container's: the engine says that. */
  async #untilEnd(attached: Promise<RunResult>, giveUp: AbortSignal): Promise<ContainerFacts> {
    await attached.catch(() => undefined);
    for (;;) {
      const facts = await this.facts();
      if (!facts.running) return facts;
      if (giveUp.aborted) throw unstoppable(this.name);
      const options = { withinMs: Infinity, until: giveUp, allowFailure: true };
      await dockerCall(this.#engine, ["wait", this.name], options).catch(() => undefined);
    }
  }

  /** Again and again: one stop can come before a start that is on its way. */
  async #stopUntil(ended: Promise<unknown>): Promise<void> {
    const limit = AbortSignal.timeout(this.#graceSeconds * 1000 + MARGIN_MS + CALL_MS);
    while (!limit.aborted) {
      await this.stop().catch(() => undefined);
      if (await isFirst(ended, AbortSignal.timeout(STOP_EVERY_MS))) return;
    }
  }
}

function unstoppable(name: string): KilnError {
  return new KilnError("unreachable", `the engine does not stop the container ${name}`, {
    mend: `Look at it with docker inspect ${name}, and remove it: docker rm --volumes --force ${name}`,
  });
}

/** Whether a promise settles before a signal comes. */
async function isFirst(promise: Promise<unknown>, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false;
  const quiet = new AbortController();
  const aborted = new Promise<boolean>((resolve) => {
    signal.addEventListener(
      "abort",
      () => {
        resolve(false);
      },
      { once: true, signal: quiet.signal },
    );
  });
  const settled = promise.then(
    () => true,
    () => true,
  );
  return Promise.race([settled, aborted]).finally(() => {
    quiet.abort();
  });
}
