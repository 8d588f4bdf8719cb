import { messageOf } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import type { Container } from "../container-run.ts";
import type { RunLock } from "../run-lock.ts";
import { WORKSPACE, type RunStage } from "./module-container.ts";

interface Held {
  readonly container: Container;
  readonly lock: RunLock | undefined;
  /** Whether the run's container can have a state that is nowhere else. */
  readonly hasState: boolean;
  readonly progress: Progress;
}

/**
 * What a run holds: its container, and its stack's lock. A container that may still be at work is never removed; and from
 * its start until its state is known to be safe it may have the only copy. Whatever happens in between, both are kept for
 * the next run to settle.
 */
export class RunHold {
  readonly #held: Held;
  #stage: RunStage | undefined;
  #why: string | undefined;

  constructor(held: Held) {
    this.#held = held;
  }

  /** Whether both are kept. */
  get keeps(): boolean {
    return this.#why !== undefined && (this.#held.hasState || this.#stage === "running");
  }

  /** How far the run is. There may be a container from "making" on, also where making it fails. */
  reach(stage: RunStage): void {
    this.#stage = stage;
    if (stage === "running") this.#why = "its run was not seen to its end";
  }

  /** The state is safe; or it is not, and why. */
  settle(fault?: string): void {
    this.#why = fault;
  }

  /** Gives up container and lock, or keeps both and says so. Throws nothing that would take the place of a result. */
  async end(): Promise<void> {
    const { container, lock, progress } = this.#held;
    if (this.keeps) {
      await this.#leave(this.#why ?? "");
      return;
    }
    if (this.#stage !== undefined) await discard(container, progress);
    await lock?.release().catch((error: unknown) => {
      progress.note(`the lock is not removed (${messageOf(error)}): it is taken over once this process has ended`);
    });
  }

  async #leave(why: string): Promise<void> {
    const { container, lock, progress } = this.#held;
    const { name } = container;
    const [kept, next] =
      lock === undefined
        ? [`the container ${name} is`, this.#byHand(name)]
        : [
            `the container ${name} and the stack's lock are`,
            "The stack's next run ends it, and saves its state first.",
          ];
    progress.note(`${kept} kept: ${why}. ${next}`);
    await lock?.leave(why).catch((error: unknown) => {
      progress.note(`the lock does not say so (${messageOf(error)}): it is taken over once this process has ended`);
    });
  }

  /** What a person does where no next run knows of the container. */
  #byHand(name: string): string {
    if (this.#stage === "ended") return `Its state is in it: docker cp ${name}:${WORKSPACE}/output.json .`;
    return `It may still be at work: docker stop ${name}; then docker cp ${name}:${WORKSPACE}/output.json .`;
  }
}

/** Removes a container; where the engine does not, a note names it. */
async function discard(container: Container, progress: Progress): Promise<void> {
  if (await container.remove()) return;
  progress.note(`the container ${container.name} could not be removed: docker rm --volumes --force ${container.name}`);
}
