import { KilnError } from "../errors.ts";
import { CLEAN_END, readFacts, restartMend, type ContainerFacts } from "./container-facts.ts";
import { createArguments, type ContainerPlan } from "./container-plan.ts";
import { CALL_MS, dockerCall } from "./docker-call.ts";
import { longTimeout } from "./long-timeout.ts";
import type { ContainerEngine } from "./offline-container.ts";
import { systemClock, type Clock } from "./patience.ts";
import { settlesFirst } from "./settles-first.ts";
import { runOverSocket, type SocketRun } from "./socket-run.ts";

/** Which container: names are given by people too, the label of an instance by its one creator. */
export interface ContainerIdentity {
  readonly name: string;
  /** A UUID, the value of the container's `INSTANCE_LABEL`. */
  readonly instance: string;
}

export interface ContainerHandling {
  /** What its program has between SIGTERM and SIGKILL. */
  readonly graceSeconds: number;
  readonly clock?: Clock | undefined;
}

export interface AttachedRun {
  /** Makes it in the same call, in place of `create`: one call of the client less. */
  readonly plan?: ContainerPlan | undefined;
  /** The whole of standard input. */
  readonly input: Buffer;
  readonly onStdoutLine: (line: string) => void;
  readonly onStderrLine: (line: string) => void;
  /** Stops the container, with its grace. */
  readonly stop: AbortSignal;
}

type Wires = Pick<SocketRun, "input" | "onStdoutLine" | "onStderrLine" | "until">;

export const INSTANCE_LABEL = "dev.kiln.instance";

/** What an engine may take beyond a grace period, and the client beyond the end of its container. */
const MARGIN_MS = 15_000;
const STOP_EVERY_MS = 500;
/** What a tar has around a file, at most: headers, and zeros to the end of a record. */
const TAR_BYTES = 64 * 1024;
/** Between two waits of which the first one failed. */
const WAIT_EVERY_MS = 1_000;
/** What engines say of a file that a container does not have; and clients of an engine whose socket or context is not there. */
const NO_FILE = /could not find the file|no such container:path|no such file|could not be found/i;
const NO_ENGINE = /cannot connect|error during connect|\bdial |docker daemon|context .* not found/i;

/** A container that was made earlier, whatever its state; undefined where the engine has none of that instance. */
export async function findContainer(
  engine: ContainerEngine,
  { instance }: Pick<ContainerIdentity, "instance">,
  handling: ContainerHandling,
): Promise<Container | undefined> {
  const name = await nameOfInstance(engine, instance);
  return name === undefined ? undefined : new Container(engine, { name, instance }, handling, true);
}

async function nameOfInstance(engine: ContainerEngine, instance: string): Promise<string | undefined> {
  const filter = `label=${INSTANCE_LABEL}=${instance}`;
  const args = ["ps", "--all", "--no-trunc", "--filter", filter, "--format", "{{.Names}}"];
  const name = (await dockerCall(engine, args)).stdout.trim().split("\n")[0] ?? "";
  return name === "" ? undefined : name;
}

/** A container of an engine. Each call has its own time limit and goes on after Ctrl-C. */
export class Container implements ContainerIdentity {
  readonly name: string;
  readonly instance: string;
  readonly #engine: ContainerEngine;
  readonly #graceSeconds: number;
  readonly #clock: Clock;
  /** Whether the container of this name is certainly this one. */
  #isMade: boolean;

  constructor(engine: ContainerEngine, identity: ContainerIdentity, handling: ContainerHandling, isMade = false) {
    this.#engine = engine;
    this.name = identity.name;
    this.instance = identity.instance;
    this.#graceSeconds = handling.graceSeconds;
    this.#clock = handling.clock ?? systemClock;
    this.#isMade = isMade;
  }

  /** Makes it, without starting it. */
  async create(plan: ContainerPlan): Promise<void> {
    await dockerCall(this.#engine, ["create", ...this.#making(plan)]);
    this.#isMade = true;
  }

  #making(plan: ContainerPlan): readonly string[] {
    const own = ["--name", this.name, "--stop-timeout", String(this.#graceSeconds)];
    return [...own, ...createArguments(this.#labelled(plan))];
  }

  #labelled(plan: ContainerPlan): ContainerPlan {
    return { ...plan, labels: { ...plan.labels, [INSTANCE_LABEL]: this.instance } };
  }

  /** Unpacks a tar below a folder; owners and modes are those of the tar. */
  async copyIn(tar: Buffer, folder: string): Promise<void> {
    await dockerCall(this.#engine, ["cp", "-", `${this.name}:${folder}`], { input: tar });
  }

  /**
   * Writes a tar of one file to `outputFile` and returns whether the container has the file. Throws where it is larger than
   * `limit` bytes: one that takes no place in the container, because it has holes, could fill this machine's disk.
   */
  async copyOut(file: string, outputFile: string, limit: number): Promise<boolean> {
    const args = ["cp", `${this.name}:${file}`, "-"];
    const outputLimit = limit + TAR_BYTES;
    const result = await dockerCall(this.#engine, args, { outputFile, outputLimit, allowFailure: true });
    if (result.code === 0) return true;
    if (NO_FILE.test(result.stderr) && !NO_ENGINE.test(result.stderr)) return false;
    throw new KilnError("failed", `docker cp of ${file} failed: ${result.stderr.trim()}`);
  }

  /**
   * Starts it, gives its lines as they come, and returns how it ended, all lines included. That the client is cut off
   * ends nothing: the container is waited for.
   */
  async run({ plan, input, onStdoutLine, onStderrLine, stop }: AttachedRun): Promise<ContainerFacts> {
    const giveUp = new AbortController();
    const attached = this.#attached(plan, { input, onStdoutLine, onStderrLine, until: giveUp.signal });
    const ended = this.#untilEnd(attached, giveUp.signal, plan !== undefined);
    if (await settlesFirst(ended, stop)) return ended;
    await this.#stopUntil(ended);
    const timer = setTimeout(() => {
      giveUp.abort();
    }, MARGIN_MS);
    return ended.finally(() => {
      clearTimeout(timer);
    });
  }

  /** Whoever is attached, from the start on: the engine's socket, or a client. */
  #attached(plan: ContainerPlan | undefined, wires: Wires): Promise<{ readonly code: number }> {
    const { socket } = this.#engine;
    if (plan !== undefined && socket !== undefined) {
      const own = { name: this.name, plan: this.#labelled(plan), graceSeconds: this.#graceSeconds };
      return runOverSocket(socket, { ...own, ...wires }).then((code) => ({ code }));
    }
    const args =
      plan === undefined ? ["start", "--attach", "--interactive", this.name] : ["run", ...this.#making(plan)];
    const options = { discardOutput: true, withinMs: Infinity, allowFailure: true };
    return dockerCall(this.#engine, args, { ...wires, ...options });
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
    const limit = this.#clock.now() + CALL_MS;
    for (let pause = 0; ; pause = STOP_EVERY_MS) {
      const facts = await this.facts();
      if (!facts.running) return facts;
      if (this.#clock.now() > limit) throw unstoppable(this.name);
      if (pause > 0) await this.#clock.sleep(pause);
      await this.stop();
    }
  }

  facts(): Promise<ContainerFacts> {
    return readFacts(this.#engine, this.name, this.#clock);
  }

  /**
   * Removes it with its volumes, running or not, and returns whether it is gone. Where `create` failed, the name may be
   * another run's: then only what has this instance's label is removed.
   */
  async remove(): Promise<boolean> {
    try {
      const name = this.#isMade ? this.name : await nameOfInstance(this.#engine, this.instance);
      if (name === undefined) return true;
      const args = ["rm", "--volumes", "--force", name];
      const result = await dockerCall(this.#engine, args, { allowFailure: true });
      return result.code === 0 || /no such container/i.test(result.stderr);
    } catch {
      return false;
    }
  }

  /** The client's end is no proof of the container's: the engine says that; `docker run` ends with 0 once it has said so. */
  async #untilEnd(
    attached: Promise<{ readonly code: number }>,
    giveUp: AbortSignal,
    isMade: boolean,
  ): Promise<ContainerFacts> {
    const client = await attached.catch(() => undefined);
    if (isMade && client?.code === 0) return CLEAN_END;
    for (;;) {
      const facts = await this.facts();
      if (!facts.running) return facts;
      if (giveUp.aborted) throw unstoppable(this.name);
      const options = { withinMs: Infinity, until: giveUp, allowFailure: true };
      const waited = await dockerCall(this.#engine, ["wait", this.name], options).catch(() => undefined);
      if (waited?.code !== 0) await this.#clock.sleep(WAIT_EVERY_MS);
    }
  }

  /** Again and again: one stop can come before a start that is on its way. */
  async #stopUntil(ended: Promise<unknown>): Promise<void> {
    const limit = longTimeout(this.#graceSeconds * 1000 + MARGIN_MS + CALL_MS);
    while (!limit.aborted) {
      await this.stop().catch(() => undefined);
      if (await settlesFirst(ended, AbortSignal.timeout(STOP_EVERY_MS))) return;
    }
  }
}

function unstoppable(name: string): KilnError {
  return new KilnError("unreachable", `the engine does not stop the container ${name}`, {
    mend: restartMend(name),
  });
}
