import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";
import language from "@pulumi/pulumi/proto/language_pb.js";

/** The program has said what is wrong and left; the engine adds nothing (`nodeJSProcessExitedAfterLoggingUserActionableMessage`). */
const EXIT_AFTER_MESSAGE = 32;

/** The Node processes that run Pulumi programs for one engine. */
export class ProgramRuns {
  readonly #engine: string;
  readonly #children = new Set<ChildProcess>();

  constructor(engine: string) {
    this.#engine = engine;
  }

  /** Runs the program to its end. A failure is in the response, as the engine expects it. */
  async run(request: language.RunRequest): Promise<language.RunResponse> {
    const directory = request.getInfo()?.getProgramDirectory() ?? request.getPwd();
    const child = spawn(process.execPath, programArguments(request, this.#engine, directory), {
      cwd: directory,
      env: programEnvironment(request, process.env),
      stdio: ["ignore", "inherit", "inherit"],
    });
    this.#children.add(child);
    const code = await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (exitCode) => {
        resolve(exitCode ?? 1);
      });
    });
    this.#children.delete(child);
    return responseTo(code);
  }

  /** Asks every running program to stop. */
  end(): void {
    for (const child of this.#children) child.kill("SIGTERM");
  }
}

/** The command line of the SDK's own launcher, resolved from the program so that both use one SDK. */
export function programArguments(request: language.RunRequest, engine: string, directory: string): string[] {
  const launcher = createRequire(path.join(directory, "package.json")).resolve("@pulumi/pulumi/cmd/run/index.js");
  const options = {
    monitor: request.getMonitorAddress(),
    engine,
    organization: request.getOrganization(),
    project: request.getProject(),
    "root-directory": request.getInfo()?.getRootDirectory() ?? directory,
    stack: request.getStack(),
    pwd: request.getPwd(),
    parallel: String(request.getParallel()),
  };
  return [
    launcher,
    ...Object.entries(options).flatMap(([name, value]) => (value === "" ? [] : [`--${name}=${value}`])),
    ...(request.getDryrun() ? ["--dry-run"] : []),
    request.getInfo()?.getEntryPoint() ?? ".",
    ...request.getArgsList(),
  ];
}

/** The environment that the SDK reads its configuration from. */
export function programEnvironment(request: language.RunRequest, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const config = Object.fromEntries(request.getConfigMap().toArray());
  return {
    ...env,
    PULUMI_CONFIG: JSON.stringify(config),
    PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
    PULUMI_NODEJS_TYPESCRIPT: "false",
  };
}

/** What the engine is told about a program that ended with this exit code. */
export function responseTo(code: number): language.RunResponse {
  const response = new language.RunResponse();
  if (code === 0) return response;
  if (code === EXIT_AFTER_MESSAGE) return response.setBail(true);
  return response.setError(`the program ended with exit code ${code}`);
}
