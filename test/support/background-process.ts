import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { lastLines } from "../../toolchain/process.ts";

const POLL_MS = 50;
const GRACE_MS = 10_000;

/** A server that a test run starts and ends. It ends with this process in any case; what it says goes to a file. */
export class BackgroundProcess {
  readonly #child: ChildProcess;
  readonly #log: string;
  readonly #name: string;
  readonly #ended: Promise<void>;
  readonly #endWithUs: () => void;

  constructor(command: string, args: readonly string[], log: string, env: NodeJS.ProcessEnv = process.env) {
    const file = openSync(log, "a");
    this.#child = spawn(command, args, { stdio: ["ignore", file, file], env });
    closeSync(file);
    this.#log = log;
    this.#name = command;
    this.#ended = new Promise((resolve) => {
      this.#child.once("error", () => {
        resolve();
      });
      this.#child.once("close", () => {
        resolve();
      });
    });
    this.#endWithUs = () => this.#child.kill("SIGKILL");
    process.once("exit", this.#endWithUs);
  }

  /** Its process id. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Waits until it is ready; throws with the last lines of its log where it ends before that, or takes too long. */
  async waitUntil(ready: () => Promise<boolean>, milliseconds: number): Promise<void> {
    const deadline = Date.now() + milliseconds;
    while (!(await ready())) {
      const { pid, exitCode } = this.#child;
      const over =
        pid === undefined || exitCode !== null ? "ended" : Date.now() > deadline ? "is not ready" : undefined;
      if (over !== undefined) throw new Error(`${this.#name} ${over}:\n${lastLines(await this.log(), 12)}`);
      await sleep(POLL_MS);
    }
  }

  /** What it said so far. */
  log(): Promise<string> {
    return readFile(this.#log, "utf8").catch(() => "");
  }

  /** Ends it, by force after ten seconds, and waits for its end. */
  async stop(): Promise<void> {
    process.off("exit", this.#endWithUs);
    this.#child.kill("SIGTERM");
    const force = setTimeout(() => this.#child.kill("SIGKILL"), GRACE_MS);
    await this.#ended;
    clearTimeout(force);
  }
}
