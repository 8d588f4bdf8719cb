import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { silent } from "../../progress.ts";
import { places } from "../../toolchain/places.ts";
import { NODEJS_HOST_DIRECTORY, PROVIDER_DIRECTORIES } from "../../toolchain/plugins/directories.ts";
import { run } from "../../toolchain/process.ts";
import type { RunResult } from "../../toolchain/process.ts";
import { resolveTool } from "../../toolchain/resolve.ts";

const PROJECT = path.join(import.meta.dirname, "../..");
const OPTIONS = ["--non-interactive", "--color", "never"];
const LEFT_OUT = ["node_modules", ".git", ".kiln"];

/** Notes the call, hangs where a file `hang` says so, and answers a push with a digest of all calls so far: a rebuilt image has another one. */
const FAKE_DOCKER = `#!/usr/bin/env node
const { createHash } = require("node:crypto");
const { appendFileSync, existsSync, readFileSync, writeFileSync } = require("node:fs");
const log = require("node:path").join(__dirname, "calls");
appendFileSync(log, JSON.stringify(process.argv.slice(2)) + "\\n");
const digest = createHash("sha256").update(readFileSync(log)).digest("hex");
if (existsSync(__dirname + "/hang")) {
  writeFileSync(__dirname + "/hangs", String(process.pid));
  setInterval(() => undefined, 1_000);
}
if (process.argv[2] === "push") console.log("latest: digest: sha256:" + digest + " size: 528");
`;

/** A copy of this project that the real Pulumi CLI works on: own backend, own home, loopback plugins, a fake docker. */
export class EngineProject {
  readonly directory: string;
  /** Variables for program and plugins, beside those that Pulumi needs. */
  env: NodeJS.ProcessEnv = {};
  readonly #root: string;
  readonly #pulumi: string;
  #seenCalls = 0;

  private constructor(root: string, pulumi: string) {
    this.#root = root;
    this.#pulumi = pulumi;
    this.directory = path.join(root, "project");
  }

  static async create(): Promise<EngineProject> {
    const { path: pulumi } = await resolveTool("pulumi", { places: places(), progress: silent });
    const project = new EngineProject(await mkdtemp(path.join(tmpdir(), "kiln-engine-")), pulumi);
    const filter = (file: string) => !LEFT_OUT.includes(path.relative(PROJECT, file).split(path.sep)[0] ?? "");
    await cp(PROJECT, project.directory, { recursive: true, filter });
    await symlink(path.join(PROJECT, "node_modules"), path.join(project.directory, "node_modules"));
    await rm(path.join(project.directory, "images"), { recursive: true, force: true });
    // The program reads what these images are made of.
    for (const images of ["images/job-runner", "images/pulumi-runner"]) {
      await cp(path.join(PROJECT, images), path.join(project.directory, images), { recursive: true });
    }
    await project.write("images/iac-runner/Dockerfile.merged", "ARG WARM\nFROM ${WARM}\n");
    await project.write("images/actions-runner/Dockerfile", "ARG ACTIONS_RUNNER_IMAGE\nFROM ${ACTIONS_RUNNER_IMAGE}\n");
    await project.#forgetWarmImages();
    await project.write("../bin/package.json", '{"type":"commonjs"}');
    await project.write("../bin/docker", FAKE_DOCKER);
    await chmod(path.join(project.#root, "bin/docker"), 0o755);
    for (const folder of ["backend", "home"]) await mkdir(path.join(project.#root, folder));
    return project;
  }

  /** Runs `pulumi` and returns what it printed, whatever its exit code. */
  pulumi(...args: readonly string[]): Promise<RunResult> {
    return run(this.#pulumi, [...args, ...OPTIONS], {
      cwd: this.directory,
      env: this.#environment(),
      allowFailure: true,
    });
  }

  /** Starts `pulumi` without waiting for its end. */
  start(...args: readonly string[]): ChildProcess {
    const options = { cwd: this.directory, env: this.#environment(), stdio: "ignore" } as const;
    return spawn(this.#pulumi, [...args, ...OPTIONS], options);
  }

  /** What this checkout baked or promoted already must not decide over a test. */
  async #forgetWarmImages(): Promise<void> {
    for (const file of await readdir(path.join(this.directory, "stacks"))) {
      const text = await this.read(`stacks/${file}`);
      await this.write(`stacks/${file}`, text.replace(/^ +kiln:warmImage: .*\n/m, ""));
    }
  }

  #environment(): NodeJS.ProcessEnv {
    const searched = [NODEJS_HOST_DIRECTORY, ...Object.values(PROVIDER_DIRECTORIES), path.join(this.#root, "bin")];
    return {
      ...this.env,
      HOME: this.#root,
      PATH: [...searched, path.dirname(process.execPath), "/usr/bin", "/bin"].join(path.delimiter),
      PULUMI_HOME: path.join(this.#root, "home"),
      PULUMI_BACKEND_URL: `file://${path.join(this.#root, "backend")}`,
      PULUMI_CONFIG_PASSPHRASE: "",
      PULUMI_SKIP_UPDATE_CHECK: "true",
    };
  }

  /** The resources that a preview would change, as `operation type`, sorted. */
  async planned(stack: string): Promise<string[]> {
    return (await this.#steps(stack)).map(({ op, type }) => `${op} ${type}`).sort();
  }

  /** The resources of providers that a preview would change, as `operation Type name`, sorted. */
  async plannedNames(stack: string): Promise<string[]> {
    const custom = (await this.#steps(stack)).filter(({ type }) => !/^(kiln|pulumi):/.test(type));
    return custom.map(({ op, type, name }) => `${op} ${type.split(":").at(-1) ?? ""} ${name}`).sort();
  }

  async #steps(stack: string) {
    const { stdout, stderr, code } = await this.pulumi("preview", "--json", "--stack", stack);
    if (code !== 0) throw new Error(`the preview of ${stack} failed: ${stdout} ${stderr}`);
    const { steps } = JSON.parse(stdout) as { steps: readonly { readonly op: string; readonly urn: string }[] };
    const changes = steps.filter(({ op }) => op !== "same");
    return changes.map(({ op, urn }) => {
      const [, , types = "", name = ""] = urn.split("::");
      return { op, type: types.split("$").at(-1) ?? "", name };
    });
  }

  /** The calls of the fake docker since the last look. */
  async dockerCalls(): Promise<string[][]> {
    const log = path.join(this.#root, "bin/calls");
    const lines = (await readFile(log, "utf8").catch(() => "")).split("\n").filter((line) => line !== "");
    const fresh = lines.slice(this.#seenCalls);
    this.#seenCalls = lines.length;
    return fresh.map((line) => JSON.parse(line) as string[]);
  }

  read(file: string): Promise<string> {
    return readFile(path.join(this.directory, file), "utf8");
  }

  async write(file: string, text: string): Promise<void> {
    const target = path.join(this.directory, file);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, text);
  }

  async delete(file: string): Promise<void> {
    await rm(path.join(this.directory, file));
  }

  /** Takes the whole copy away. */
  async remove(): Promise<void> {
    await rm(this.#root, { recursive: true, force: true });
  }
}

/** What Pulumi printed as errors in its diagnostics, each once. */
export function errorsIn({ stdout }: RunResult): string[] {
  const [, diagnostics = ""] = stdout.split("\nDiagnostics:\n");
  const [section = ""] = diagnostics.split("\n\n");
  return section
    .split(/^ {4}(?=\S)/m)
    .filter((message) => message.startsWith("error: "))
    .map((message) => message.slice("error: ".length).trim());
}
