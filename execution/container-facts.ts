import { KilnError, messageOf } from "../errors.ts";
import { dockerCall } from "./docker-call.ts";
import type { ContainerEngine } from "./offline-container.ts";
import { patiently, type Clock } from "./patience.ts";

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

/** Of a container that ended by itself, with 0; its times were not asked for. */
export const CLEAN_END: ContainerFacts = {
  ...{ running: false, exitCode: 0, outOfMemory: false, error: "" },
  ...{ startedAt: "", finishedAt: "" },
};

/** How long an engine may be away, such as for its own update, until a container is given up as unseen. */
const AWAY_MS = 300_000;
const GONE = /no such (?:container|object)/i;

/**
 * Asks the engine how a container stands. One call that fails says nothing of the container: it is asked again, for
 * minutes. A container that is not there any more is an error at once.
 */
export async function readFacts(engine: ContainerEngine, name: string, clock: Clock): Promise<ContainerFacts> {
  const isFinal = (error: unknown) => GONE.test(messageOf(error));
  try {
    return await patiently(() => askFacts(engine, name), { clock, withinMs: AWAY_MS, isFinal });
  } catch (cause) {
    if (isFinal(cause)) throw cause;
    const said = `the engine does not say how the container ${name} stands: ${messageOf(cause)}`;
    throw new KilnError("unreachable", said, { mend: restartMend(name), cause });
  }
}

/** What to do about an engine that has stopped answering for a container. */
export function restartMend(name: string): string {
  return `Restart the engine, then run the command again: state in the container is saved first. To give that up: docker rm --volumes --force ${name}`;
}

async function askFacts(engine: ContainerEngine, name: string): Promise<ContainerFacts> {
  const args = ["container", "inspect", "--format", "{{json .State}}", name];
  const state = JSON.parse((await dockerCall(engine, args)).stdout) as Readonly<Record<string, unknown>>;
  return {
    running: state.Running === true,
    exitCode: typeof state.ExitCode === "number" ? state.ExitCode : -1,
    outOfMemory: state.OOMKilled === true,
    error: typeof state.Error === "string" ? state.Error : "",
    startedAt: typeof state.StartedAt === "string" ? state.StartedAt : "",
    finishedAt: typeof state.FinishedAt === "string" ? state.FinishedAt : "",
  };
}
