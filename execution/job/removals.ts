import { setTimeout as sleep } from "node:timers/promises";
import { CALL_MS, dockerCall } from "../docker-call.ts";
import { longTimeout } from "../long-timeout.ts";
import type { ContainerEngine } from "../offline-container.ts";
import { removeOverSocket } from "../socket-run.ts";

/** How long the first of several waits for others to go with it. */
const TOGETHER_MS = 40;

interface Batch {
  readonly names: string[];
  readonly gone: Promise<ReadonlySet<string>>;
}

/** Removes containers with their volumes: those that end at about the same time by one call of the client, where there is no socket. */
export class Removals {
  readonly #engine: ContainerEngine;
  #batch: Batch | undefined;

  constructor(engine: ContainerEngine) {
    this.#engine = engine;
  }

  /** Returns whether the container is gone, or never was. */
  async remove(name: string): Promise<boolean> {
    const { socket } = this.#engine;
    if (socket !== undefined) return removeOverSocket(socket, name, longTimeout(CALL_MS)).catch(() => false);
    const batch = (this.#batch ??= this.#open());
    batch.names.push(name);
    return (await batch.gone).has(name);
  }

  #open(): Batch {
    const names: string[] = [];
    const gone = sleep(TOGETHER_MS).then(() => {
      this.#batch = undefined;
      return this.#removeAll(names);
    });
    return { names, gone };
  }

  async #removeAll(names: readonly string[]): Promise<ReadonlySet<string>> {
    try {
      const args = ["rm", "--volumes", "--force", ...names];
      const { stdout, stderr } = await dockerCall(this.#engine, args, { allowFailure: true });
      const removed = new Set(stdout.split("\n"));
      const absent = (name: string) => new RegExp(`no such container:? ${name}\\b`, "i").test(stderr);
      return new Set(names.filter((name) => removed.has(name) || absent(name)));
    } catch {
      return new Set();
    }
  }
}
