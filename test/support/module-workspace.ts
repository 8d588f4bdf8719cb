import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Engine } from "../../toolchain/docker-engine.ts";
import { run } from "../../toolchain/process.ts";
import { dockerAlone } from "./docker-alone.ts";

/** What a test looks at in a response; the whole of it is in `execution/module/response.ts`. */
export interface Answer {
  readonly success: boolean;
  readonly error?: string;
  readonly logs?: string;
  readonly outputs: Readonly<Record<string, { readonly value: unknown; readonly sensitive?: boolean }>>;
  readonly changes: readonly { readonly resource: string; readonly action: string; readonly type?: string }[];
  readonly summary: Readonly<Record<"create" | "update" | "delete" | "replace" | "same", number>>;
  readonly state?: unknown;
  readonly drift?: boolean;
}

/** Docker and nothing else, as on a host without kiln: `docker run -v DIR:/workspace IMAGE`, offline and locked down. */
export class ModuleWorkspace {
  /** The folder that is /workspace. */
  readonly directory: string;
  readonly #engine: Engine;
  #state: unknown;

  private constructor(directory: string, engine: Engine) {
    this.directory = directory;
    this.#engine = engine;
  }

  static async create(engine: Engine): Promise<ModuleWorkspace> {
    const directory = await mkdtemp(path.join(tmpdir(), "kiln-workspace-"));
    // The container's user is none of this machine.
    await chmod(directory, 0o777);
    return new ModuleWorkspace(directory, engine);
  }

  /** Runs one action, with the state of the one before, and gives its response and exit code. */
  async perform(image: string, action: string, inputs: object = {}, fields: object = {}) {
    const state = this.#state === undefined ? {} : { state: this.#state };
    const request = { action, inputs, stack_name: "test", ...state, ...fields };
    await writeFile(path.join(this.directory, "input.json"), JSON.stringify(request));
    const sandbox = ["--network", "none", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"];
    const scratch = ["--tmpfs", "/tmp", "--tmpfs", "/run/kiln:mode=0700,uid=65532,gid=65532,exec"];
    const args = ["run", "--rm", ...sandbox, ...scratch, "--volume", `${this.directory}:/workspace`, image];
    const env = await dockerAlone(this.#engine, this.directory);
    const ended = await run(this.#engine.docker, args, { env, allowFailure: true });
    const answer = JSON.parse(await readFile(path.join(this.directory, "output.json"), "utf8")) as Answer;
    if (answer.state !== undefined) this.#state = answer.state;
    return { answer, code: ended.code, printed: `${ended.stdout}${ended.stderr}` };
  }

  /** Puts a file where the module's resources are: drift, made by hand. */
  async edit(file: string, text: string): Promise<void> {
    const place = path.join(this.directory, "notes", file);
    await mkdir(path.dirname(place), { recursive: true });
    await rm(place, { force: true });
    await writeFile(place, text);
    // For the container's user to write over.
    await chmod(place, 0o666);
  }

  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}
