import { chmod, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { checkDescription, JOB_API } from "../../execution/job/description.ts";
import { DockerRunner } from "../../execution/job/docker-runner.ts";
import { jobEnvironment } from "../../execution/job/environment.ts";
import { engineEnvironment, type Engine } from "../../toolchain/docker-engine.ts";
import { run } from "../../toolchain/process.ts";

/** Something that is timed. A run that ends otherwise than it should is an error. */
export interface JobWay {
  readonly name: "docker run" | "job";
  readonly what: string;
  perform(id: string): Promise<void>;
}

const SCRIPT = `import sys\nprint("done", sys.argv[1:])\n`;

/** The same image, entrypoint, variables and script: by hand without any protection, and by the runner with all of it. */
export async function readyJobWays(options: {
  readonly engine: Engine;
  readonly image: string;
  readonly scratch: string;
}): Promise<readonly JobWay[]> {
  const { engine, image, scratch } = options;
  const env = engineEnvironment(engine);
  const scripts = path.join(scratch, "scripts");
  await mkdir(scripts);
  await writeFile(path.join(scripts, "job.py"), SCRIPT);
  for (const folder of [scratch, scripts]) await chmod(folder, 0o755);
  const describe = (id: string) =>
    checkDescription({
      ...{ api_version: JOB_API, job_id: `bench-${id}`, image, script: "job", parameters: { id } },
      source: { kind: "directory", path: scripts },
    });
  const runner = await DockerRunner.connect(engine);
  return [
    {
      name: "docker run",
      what: "docker run --rm of the image, with the same variables and scripts",
      async perform(id) {
        const variables = Object.entries(jobEnvironment(describe(id))).flatMap(([name, value]) => [
          "--env",
          `${name}=${value}`,
        ]);
        const mount = ["--mount", `type=bind,src=${scripts},dst=/workspace/scripts,readonly`];
        const { stdout } = await run(engine.docker, ["run", "--rm", ...mount, ...variables, image], { env });
        if (!stdout.includes(id)) throw new Error(`the container printed something else: ${stdout.slice(0, 400)}`);
      },
    },
    {
      name: "job",
      what: "the job runner, with its network, limits and history",
      async perform(id) {
        const { result } = await runner.run({ description: describe(id), history: path.join(scratch, "history") });
        if (result.status !== "succeeded" || result.job_id !== `bench-${id}`) throw new Error(JSON.stringify(result));
      },
    },
  ];
}
