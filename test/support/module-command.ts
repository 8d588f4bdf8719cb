import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { onTestFinished } from "vitest";
import { PROJECT } from "./checkout.ts";

/** A `kiln` command that runs. */
export interface RunningCommand {
  readonly child: ChildProcess;
  /** Its exit code; null where a signal ended it. */
  readonly ended: Promise<number | null>;
  /** Both of its outputs so far, in the order in which they came. */
  readonly said: () => string;
  /** Resolves once that has what `pattern` matches; throws where it ends without. */
  saying(pattern: RegExp): Promise<void>;
}

/** Starts `kiln module …` as a person does. It is killed where it outlives its test. */
export function moduleCommand(args: readonly string[], env: NodeJS.ProcessEnv): RunningCommand {
  return kilnCommand(["module", ...args], env);
}

/** The same of any command. */
export function kilnCommand(args: readonly string[], env: NodeJS.ProcessEnv): RunningCommand {
  const kiln = path.join(PROJECT, "cli/kiln.mjs");
  const child = spawn(process.execPath, [kiln, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  }
  return {
    child,
    ended: once(child, "close").then(([code]) => code as number | null),
    said: () => said,
    async saying(pattern) {
      let isOver = child.exitCode !== null;
      child.once("close", () => (isOver = true));
      while (!pattern.test(said)) {
        if (isOver) throw new Error(`it ended too early: ${said}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
  };
}
