import type { Socket } from "node:net";
import { messageOf } from "../errors.ts";
import { AttachedFrames } from "./attached-frames.ts";
import type { ContainerPlan } from "./container-plan.ts";
import { createRequest } from "./container-request.ts";
import { saidBy, type EngineSocket, type SocketAnswer } from "./engine-socket.ts";

export interface SocketRun {
  readonly name: string;
  readonly plan: ContainerPlan;
  readonly graceSeconds: number;
  /** The whole of standard input. */
  readonly input: Buffer;
  readonly onStdoutLine: (line: string) => void;
  readonly onStderrLine: (line: string) => void;
  /** Cuts the client off, and ends nothing. */
  readonly until: AbortSignal;
}

/** What `docker run` ends with where there is no container to run. */
const NOT_RUN = 125;

/**
 * Does what `docker run` does, over the engine's socket: makes a container, attaches, starts it, waits for its end, and returns
 * its exit code. A refusal is a line of standard error and code 125. Where the engine does not answer, it says so and throws.
 */
export async function runOverSocket(engine: EngineSocket, run: SocketRun): Promise<number> {
  try {
    return await runAttached(engine, run);
  } catch (error) {
    if (!run.until.aborted) run.onStderrLine(messageOf(error));
    throw error;
  }
}

async function runAttached(engine: EngineSocket, run: SocketRun): Promise<number> {
  const { until } = run;
  const name = encodeURIComponent(run.name);
  const ask = (path: string, body?: unknown) => engine.ask("POST", `/containers/${path}`, { body, until });
  const refused = (answer: SocketAnswer) => {
    run.onStderrLine(saidBy(answer));
    return NOT_RUN;
  };
  const made = await ask(`create?name=${name}`, createRequest(run.plan, run.graceSeconds));
  if (made.status !== 201) return refused(made);
  const connection = await engine.attach(`/containers/${name}/attach?stream=1&stdin=1&stdout=1&stderr=1`, until);
  const cut = () => {
    connection.destroy();
  };
  until.addEventListener("abort", cut, { once: true });
  try {
    const silence = linesOf(connection, run);
    const started = await ask(`${name}/start`);
    if (started.status !== 204) return refused(started);
    connection.end(run.input);
    await silence;
    const ended = await ask(`${name}/wait`);
    const { StatusCode: code } = (ended.document ?? {}) as { readonly StatusCode?: unknown };
    return typeof code === "number" ? code : refused(ended);
  } finally {
    until.removeEventListener("abort", cut);
    cut();
  }
}

/** Gives the lines of a connection until it is closed. One that breaks off ends no container: its end is waited for all the same. */
function linesOf(connection: Socket, { onStdoutLine, onStderrLine }: SocketRun): Promise<void> {
  const frames = new AttachedFrames(onStdoutLine, onStderrLine);
  connection
    .on("error", () => undefined)
    .on("data", (chunk: Buffer) => {
      frames.write(chunk);
    });
  return new Promise((resolve) => {
    connection.once("close", () => {
      frames.end();
      resolve();
    });
  });
}

/** Removes a container with its volumes, running or not. Returns whether it is gone, or never was. */
export async function removeOverSocket(engine: EngineSocket, name: string, until: AbortSignal): Promise<boolean> {
  const { status } = await engine.ask("DELETE", `/containers/${encodeURIComponent(name)}?v=1&force=1`, { until });
  return status === 204 || status === 404;
}
