import { randomUUID } from "node:crypto";
import { run, type RunResult } from "../toolchain/process.ts";
import type { EngineSocket } from "./engine-socket.ts";

/** The client and environment of a container engine, as docker commands need them. */
export interface ContainerEngine {
  readonly docker: string;
  readonly env: NodeJS.ProcessEnv;
  /** For what is done so often that processes of the client would cost more than the work; undefined where only they will do. */
  readonly socket?: EngineSocket | undefined;
}

export interface OfflineContainer {
  readonly image: string;
  /** `linux/arm64` and the like; the engine's own choice when absent. */
  readonly platform?: string | undefined;
  /** Program and arguments in place of the image's own. */
  readonly command: readonly [string, ...string[]];
  /** A directory of this machine that is copied in before the start, as files of root. */
  readonly copy?: { readonly from: string; readonly to: string };
  readonly onStdoutLine?: (line: string) => void;
  /** How long the container may take to go; it is given up after that. */
  readonly cleanUpMs?: number;
}

const CLEAN_UP_MS = 30_000;

/**
 * Runs a command in a fresh container without network, as the image's default user, and removes it. Files go in through
 * the engine's own API, not by a mount: so an engine that does not see this machine's disk serves as well.
 */
export async function runOffline(engine: ContainerEngine, container: OfflineContainer): Promise<RunResult> {
  const name = `kiln-verify-${randomUUID()}`;
  const [program, ...args] = container.command;
  const platform = container.platform === undefined ? [] : ["--platform", container.platform];
  const create = ["create", "--name", name, "--network", "none", ...platform, "--entrypoint", program];
  const { env } = engine;
  const { copy, onStdoutLine, cleanUpMs = CLEAN_UP_MS } = container;
  try {
    await run(engine.docker, [...create, container.image, ...args], { env });
    if (copy !== undefined) await run(engine.docker, ["cp", `${copy.from}/.`, `${name}:${copy.to}`], { env });
    const watched = onStdoutLine === undefined ? {} : { onStdoutLine };
    return await run(engine.docker, ["start", "--attach", name], { env, ...watched });
  } finally {
    // Also after Ctrl-C, which ends the client but not its container. That it does not go must not take the place of the
    // result, or of the error that ended the command.
    const signal = AbortSignal.timeout(cleanUpMs);
    await run(engine.docker, ["rm", "--force", name], { env, allowFailure: true, signal }).catch(() => undefined);
  }
}
