import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { silent } from "../../progress.ts";
import { places } from "../../toolchain/places.ts";
import { NODEJS_HOST_DIRECTORY } from "../../toolchain/plugins/directories.ts";
import { run, type RunResult } from "../../toolchain/process.ts";
import { resolveTool } from "../../toolchain/resolve.ts";

const PROJECT = path.join(import.meta.dirname, "../..");

/** A program of a few lines on the real Pulumi CLI, with loopback plugins alone: own backend, own home. */
export class LoopbackProgram {
  readonly #root: string;
  readonly #pulumi: string;
  readonly #plugins: readonly string[];
  /** Variables for program and plugins, beside those that Pulumi needs. */
  env: NodeJS.ProcessEnv = {};

  private constructor(root: string, pulumi: string, plugins: readonly string[]) {
    this.#root = root;
    this.#pulumi = pulumi;
    this.#plugins = plugins;
  }

  /** `plugins` are the directories that hold the providers, put on PATH one by one. */
  static async create(plugins: readonly string[]): Promise<LoopbackProgram> {
    const { path: pulumi } = await resolveTool("pulumi", { places: places(), progress: silent });
    const root = await mkdtemp(path.join(tmpdir(), "kiln-loopback-"));
    for (const folder of ["backend", "home", "project"]) await mkdir(path.join(root, folder));
    await symlink(path.join(PROJECT, "node_modules"), path.join(root, "project/node_modules"));
    const runtime = "runtime: {name: nodejs, options: {typescript: false}}";
    await writeFile(path.join(root, "project/Pulumi.yaml"), `name: kiln\n${runtime}\nmain: program.ts\n`);
    await writeFile(path.join(root, "project/package.json"), '{"type":"module"}');
    return new LoopbackProgram(root, pulumi, plugins);
  }

  /** Sets the program; `kiln/` in it stands for this project. */
  async write(program: string): Promise<void> {
    await writeFile(path.join(this.#root, "project/program.ts"), program.replaceAll('"kiln/', `"${PROJECT}/`));
  }

  /** Runs `pulumi` and returns what it printed, whatever its exit code. */
  pulumi(...args: readonly string[]): Promise<RunResult> {
    const searched = [NODEJS_HOST_DIRECTORY, ...this.#plugins, path.dirname(process.execPath), "/usr/bin", "/bin"];
    return run(this.#pulumi, [...args, "--non-interactive", "--color", "never"], {
      cwd: path.join(this.#root, "project"),
      env: {
        ...this.env,
        HOME: this.#root,
        PATH: searched.join(path.delimiter),
        PULUMI_HOME: path.join(this.#root, "home"),
        PULUMI_BACKEND_URL: `file://${path.join(this.#root, "backend")}`,
        PULUMI_CONFIG_PASSPHRASE: "",
        PULUMI_SKIP_UPDATE_CHECK: "true",
      },
      allowFailure: true,
    });
  }

  /** Every file of the backend, in one text: what a secret must not be found in. */
  async stored(): Promise<string> {
    const backend = path.join(this.#root, "backend");
    const entries = await readdir(backend, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
    return (await Promise.all(files.map((file) => readFile(file, "utf8")))).join("\n");
  }

  async remove(): Promise<void> {
    await rm(this.#root, { recursive: true, force: true });
  }
}
