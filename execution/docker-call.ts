import { KilnError } from "../errors.ts";
import { lastLines, run, type RunOptions, type RunResult } from "../toolchain/process.ts";
import { longTimeout } from "./long-timeout.ts";
import type { ContainerEngine } from "./offline-container.ts";

/** How long an engine may take for a call that does not wait for a container. */
export const CALL_MS = 60_000;

export interface CallOptions extends Omit<RunOptions, "signal" | "env"> {
  /** Milliseconds after which the call is given up; Infinity for one that waits for a container. */
  readonly withinMs?: number;
  /** Ends the call before that. */
  readonly until?: AbortSignal | undefined;
}

/**
 * Runs one docker command. It does not end with Ctrl-C, but after its own time alone: what cleans up behind an
 * interrupted run must still be done. A failure is an error with docker's last words.
 */
export async function dockerCall(
  engine: ContainerEngine,
  args: readonly string[],
  { withinMs = CALL_MS, until, ...options }: CallOptions = {},
): Promise<RunResult> {
  const limits = [...(Number.isFinite(withinMs) ? [longTimeout(withinMs)] : []), ...(until ? [until] : [])];
  const signal = limits.length === 0 ? new AbortController().signal : AbortSignal.any(limits);
  const what = `docker ${args.slice(0, args[0] === "container" || args[0] === "image" ? 2 : 1).join(" ")}`;
  let result: RunResult;
  try {
    result = await run(engine.docker, args, { ...options, env: engine.env, signal, allowFailure: true });
  } catch (error) {
    if (until?.aborted === true) throw error;
    if (!signal.aborted) throw error;
    throw new KilnError("unreachable", `${what} had no answer within ${Math.round(withinMs / 1000)} s`, {
      mend: "Check that the Docker engine answers (`docker ps`).",
      cause: error,
    });
  }
  if (result.code === 0 || options.allowFailure === true) return result;
  throw new KilnError("failed", `${what} failed: ${lastLines(result.stderr, 4)}`);
}
