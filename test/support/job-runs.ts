import { randomUUID } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { checkDescription, JOB_API, type JobDescription } from "../../execution/job/description.ts";
import { DockerRunner } from "../../execution/job/docker-runner.ts";
import { readyJobImage } from "../../execution/job/job-image.ts";
import type { JobEvent } from "../../execution/job/job-output.ts";
import type { JobRun, JobRunOptions } from "../../execution/job/job-options.ts";
import { silent } from "../../progress.ts";
import { engineEnvironment, readyEngine, type Engine } from "../../toolchain/docker-engine.ts";
import { places } from "../../toolchain/places.ts";
import { ownPlatform } from "../../toolchain/platforms.ts";
import { run, type RunResult } from "../../toolchain/process.ts";

/** The engine of tests that run jobs: this machine's own. */
export function jobEngine(): Promise<Engine> {
  return readyEngine({ places: places(), progress: silent });
}

/** The base image of job runners, made once an engine: all tests of jobs share it, so none may remove it. */
export function jobImage(engine: Engine): Promise<string> {
  return readyJobImage(engine, { image: "base", platform: ownPlatform(), places: places(), progress: silent });
}

export interface PythonJob extends Partial<Omit<JobRunOptions, "description" | "history">> {
  /** Of the description, beside image and script. */
  readonly fields?: Partial<Record<keyof JobDescription, unknown>>;
}

/** Jobs of Python scripts on one engine, with scripts and history in one folder. */
export class JobRuns {
  readonly engine: Engine;
  readonly image: string;
  readonly folder: string;
  readonly history: string;
  readonly #runner: Promise<DockerRunner>;
  #scripts = 0;

  constructor(engine: Engine, image: string, folder: string, env: NodeJS.ProcessEnv = process.env) {
    this.engine = engine;
    this.image = image;
    this.folder = folder;
    this.history = path.join(folder, "history");
    this.#runner = DockerRunner.connect(engine, { env });
  }

  /** A folder with one script, `job.py`. */
  async scripts(text: string, extension: "py" | "ps1" = "py"): Promise<string> {
    this.#scripts += 1;
    const scripts = path.join(this.folder, `scripts-${this.#scripts}`);
    await mkdir(scripts);
    await writeFile(path.join(scripts, `job.${extension}`), text);
    return scripts;
  }

  /** Runs a script of Python; small limits and a short grace where the fields say no other. */
  async python(script: string, options: PythonJob = {}): Promise<JobRun> {
    return this.#run(await this.scripts(script), options);
  }

  /** The same of PowerShell, which needs more memory. */
  async powershell(script: string, { fields, ...options }: PythonJob = {}): Promise<JobRun> {
    const limits = { memory: "512m", disk: "64m", pids: 128, cpus: 2 };
    return this.#run(await this.scripts(script, "ps1"), { fields: { limits, ...fields }, ...options });
  }

  async #run(scripts: string, { fields, ...options }: PythonJob): Promise<JobRun> {
    const description = checkDescription({
      api_version: JOB_API,
      job_id: path.basename(scripts).replace("scripts", "job"),
      image: this.image,
      script: "job",
      source: { kind: "directory", path: scripts },
      timeouts: { job: 120, grace: 1, finish: 5 },
      limits: { memory: "256m", disk: "64m", pids: 64, cpus: 2 },
      ...fields,
    });
    const runner = await this.#runner;
    return runner.run({ description, history: this.history, ...options });
  }

  /** The same script in a plain container as root, in a network, without any of the protection: what a control run is. */
  async unprotected(script: string, ...flags: readonly string[]): Promise<RunResult> {
    const file = path.join(await this.scripts(script), "job.py");
    return this.docker(
      ...["run", "--rm", "--user", "0:0", ...flags, "--entrypoint", "python3", this.image, "-c"],
      await readFile(file, "utf8"),
    );
  }

  docker(...args: readonly string[]): Promise<RunResult> {
    return run(this.engine.docker, args, { env: engineEnvironment(this.engine), allowFailure: true });
  }

  /** An address of this machine that every container on it reaches, by a network of its own: Docker's bridge does not always tell its. */
  async hostAddress(): Promise<{ readonly address: string; remove(): Promise<unknown> }> {
    const network = `kiln-test-host-${randomUUID().slice(0, 8)}`;
    await this.docker("network", "create", network);
    const format = "{{(index .IPAM.Config 0).Gateway}}";
    const address = (await this.docker("network", "inspect", network, "--format", format)).stdout.trim();
    if (address === "") throw new Error(`the engine tells no address of its own in ${network}`);
    return { address, remove: () => this.docker("network", "rm", network) };
  }

  /** Names of what jobs leave in the engine: containers, and networks of their own. */
  async leftovers(): Promise<readonly string[]> {
    const label = ["--filter", "label=dev.kiln.job.owner"];
    const containers = await this.docker("ps", "--all", ...label, "--format", "{{.Names}}");
    const networks = await this.docker("network", "ls", ...label, "--format", "{{.Name}}");
    const left = networks.stdout.split("\n").filter((name) => name !== "");
    // An engine that has lost count keeps a network without any container until it is restarted: nobody can remove that.
    const removable = await Promise.all(
      left.map(async (name) => (await this.docker("network", "rm", name)).code === 0),
    );
    return [
      ...containers.stdout.split("\n").filter((name) => name !== ""),
      ...left.filter((_, index) => removable[index]),
    ];
  }
}

/** A file of a job's folder, as text. */
export function fileOf({ folder }: JobRun, name: string): Promise<string> {
  return readFile(path.join(folder, name), "utf8");
}

/** Resolves once the script has printed a text; `onEvent` is for the run. */
export function printed(text: string) {
  let tell = (): void => undefined;
  const said = new Promise<void>((resolve) => (tell = resolve));
  const onEvent = (event: JobEvent) => {
    if (event.kind === "output" && typeof event.text === "string" && event.text.includes(text)) tell();
  };
  return { said, onEvent };
}
