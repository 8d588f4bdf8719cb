import { chmod, copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { onTestFinished } from "vitest";
import type { ExecuteOptions, ExecutionResult } from "../../../../execution/module/execute-options.ts";
import { Executor } from "../../../../execution/module/executor.ts";
import type { Clock } from "../../../../execution/patience.ts";
import { silent } from "../../../../progress.ts";
import type { Engine } from "../../../../toolchain/docker-engine.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";

/** What the fake's containers do; see fake-entrypoint.mjs and fake-start.mjs. */
export interface Scenario {
  readonly response?: unknown;
  readonly state?: unknown;
  readonly exit?: number;
  /** Ends with this code before it writes an end of its response. */
  readonly dies?: number;
  readonly silent?: boolean;
  readonly runMs?: number;
  readonly graceMs?: number;
  readonly ignoresTerm?: boolean;
  readonly startDelayMs?: number;
  readonly startError?: string;
  readonly clientDiesMs?: number;
  readonly lines?: number;
  readonly leak?: boolean;
  readonly link?: string;
  readonly otherKey?: boolean;
  /** Whether it compares plan digests. */
  readonly plans?: boolean;
  /** Pulumi where nothing is said; OpenTofu does not know PULUMI_BACKEND_URL. */
  readonly tool?: "pulumi" | "opentofu";
}

export const IMAGE_ID = `sha256:${"1".repeat(64)}`;

/** A clock on which pauses take no time; `onSleep` is told what they would have taken so far. */
export function quickClock(onSleep: (sinceMs: number) => void = () => undefined): Clock {
  let now = 0;
  return {
    now: () => now,
    sleep: async (ms) => {
      now += ms;
      onSleep(now);
      return Promise.resolve();
    },
  };
}

/** A docker client whose engine is a folder. It goes with the test. */
export class FakeDocker {
  readonly home: string;
  readonly engine: Engine;

  constructor(home: string) {
    this.home = home;
    this.engine = { docker: path.join(home, "docker"), host: undefined, managed: false };
  }

  async play(scenario: Scenario): Promise<void> {
    await writeFile(path.join(this.home, "scenario.json"), JSON.stringify(scenario));
  }

  /** Lets every call of a command fail with what docker says then; undefined lets it work again. */
  async fail(command: string, said: string | undefined): Promise<void> {
    const file = path.join(this.home, `fail-${command}`);
    await (said === undefined ? rm(file, { force: true }) : writeFile(file, said));
  }

  /** Lets every call of a command run a line of shell first, whose output goes into `spied-<command>`. */
  async spy(command: string, line: string): Promise<void> {
    await writeFile(path.join(this.home, `spy-${command}`), line);
  }

  async mark(name: string): Promise<void> {
    await writeFile(path.join(this.home, name), "");
  }

  async image(name: string, image: Readonly<Record<string, unknown>>): Promise<void> {
    const file = name.replaceAll(/[/:@]/g, "_");
    await writeFile(path.join(this.home, "images", file), JSON.stringify({ Config: { Labels: null }, ...image }));
  }

  async calls(command?: string): Promise<readonly string[]> {
    const lines = (await readFile(path.join(this.home, "calls"), "utf8")).trimEnd().split("\n");
    return command === undefined ? lines : lines.filter((line) => line.startsWith(`${command} `));
  }

  /** Names of containers that are there. */
  async containers(): Promise<readonly string[]> {
    return readdir(path.join(this.home, "containers"));
  }

  /** The folder of a container, or of a run's container (names end in what is the container's own), removed or not. */
  async folderOf(run: string): Promise<string> {
    for (const folder of ["removed", "containers"]) {
      const names = await readdir(path.join(this.home, folder));
      const name = names.find((one) => one === run || one.replace(/-[^-]*$/, "") === `kiln-module-${run}`);
      if (name !== undefined) return path.join(this.home, folder, name);
    }
    throw new Error(`${run} has no container`);
  }

  /** A file of a run's container, removed or not. */
  async fileOf(run: string, file: string): Promise<string> {
    return readFile(path.join(await this.folderOf(run), file), "utf8");
  }

  /** Makes it another engine, with the same containers. */
  async become(id: string): Promise<void> {
    await writeFile(path.join(this.home, "engine-id"), id);
  }

  execute(options: Partial<ExecuteOptions>, env: NodeJS.ProcessEnv = {}, clock?: Clock): Promise<ExecutionResult> {
    return new Executor({ env: { PATH: process.env.PATH, ...env }, clock }).execute({
      image: "r/i:t",
      request: { action: "apply", inputs: {}, stack_name: "s" },
      engine: this.engine,
      progress: silent,
      ...options,
    });
  }
}

/** A fake with one image, `r/i:t`. */
export async function fakeDocker(scenario: Scenario = {}): Promise<FakeDocker> {
  const home = await temporaryDirectory();
  const fake = new FakeDocker(home);
  const here = import.meta.dirname;
  const script = await readFile(path.join(here, "fake-docker.sh"), "utf8");
  await writeFile(
    fake.engine.docker,
    script.replace("'HOME_OF_FAKE'", `'${home}'`).replace("'NODE'", `'${process.execPath}'`),
  );
  await chmod(fake.engine.docker, 0o755);
  await copyFile(path.join(here, "fake-start.mjs"), path.join(home, "start.mjs"));
  await copyFile(path.join(here, "fake-entrypoint.mjs"), path.join(home, "entrypoint.mjs"));
  for (const folder of ["images", "containers", "removed"]) await mkdir(path.join(home, folder));
  await fake.image("r/i:t", { Id: IMAGE_ID, RepoDigests: [] });
  await fake.become("first engine");
  await fake.play(scenario);
  onTestFinished(() => endProcesses(home));
  return fake;
}

async function endProcesses(home: string): Promise<void> {
  for (const name of await readdir(path.join(home, "containers"))) {
    const pid = await readFile(path.join(home, "containers", name, "pid"), "utf8").catch(() => "");
    if (pid === "") continue;
    try {
      process.kill(Number(pid), "SIGKILL");
    } catch {
      // It ended by itself.
    }
  }
}
