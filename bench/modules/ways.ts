import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { sandboxFlags, sandboxOf } from "../../execution/sandbox.ts";
import { Executor } from "../../execution/module/executor.ts";
import { engineEnvironment, type Engine } from "../../toolchain/docker-engine.ts";
import { run } from "../../toolchain/process.ts";

/** Something that is timed. A run that ends otherwise than it should is an error. */
export interface Way {
  readonly name: string;
  readonly what: string;
  perform(): Promise<void>;
}

export interface WaysOptions {
  readonly engine: Engine;
  /** Of the example for OpenTofu. */
  readonly image: string;
  /** The module and the entrypoint on this machine. */
  readonly module: string;
  readonly entrypoint: string;
  /** OpenTofu of this machine. */
  readonly tofu: string;
  readonly scratch: string;
}

/** OpenTofu's part of a preview, without an entrypoint: `work` is a new folder in each run. */
function byHand(tofu: string, module: string, work: string): string {
  return [
    `mkdir -p ${work} && cd ${work} && for file in ${module}/*.tf ${module}/.terraform.lock.hcl; do ln -s $file .; done`,
    `export TF_DATA_DIR=${work}/data`,
    `${tofu} init -json >/dev/null && ${tofu} plan -json -out=plan >/dev/null && ${tofu} show -json plan >/dev/null`,
  ].join(" && ");
}

/**
 * What is compared, all in the same sandbox. A destroy without state is refused before the tool starts: it is all that
 * container, entrypoint and executor do, and nothing of the tool.
 */
export async function readyWays(options: WaysOptions): Promise<readonly Way[]> {
  const { engine, image, module, entrypoint, tofu, scratch } = options;
  const env = engineEnvironment(engine);
  const copied = await copyOfImage(options);
  const settings = path.join(scratch, "tofu.rc");
  await writeFile(
    settings,
    `provider_installation {\n  filesystem_mirror {\n    path = "${copied}/providers"\n  }\n}\n`,
  );
  const host = { ...process.env, TF_CLI_CONFIG_FILE: settings, CHECKPOINT_DISABLE: "1", TF_IN_AUTOMATION: "1" };
  const flags = sandboxFlags(sandboxOf({}, "none"));
  const workspace = async (action: string): Promise<string> => {
    const folder = path.join(scratch, action);
    await mkdir(folder);
    await chmod(folder, 0o777);
    await writeFile(path.join(folder, "input.json"), JSON.stringify({ action, inputs: {}, stack_name: "test" }));
    return folder;
  };
  const [refused, previewed] = [await workspace("destroy"), await workspace("preview")];
  const contained = async (args: readonly string[], code: number) => {
    const ended = await run(engine.docker, ["run", "--rm", ...flags, ...args], { env, allowFailure: true });
    if (ended.code !== code) throw new Error(`docker run ended with ${ended.code}: ${ended.stdout}${ended.stderr}`);
  };
  const executed = async (action: "destroy" | "preview", code: number) => {
    const { exitCode, response } = await new Executor().execute({
      ...{ engine, image, network: "none", state: { directory: path.join(scratch, "state") } },
      request: { action, inputs: {}, stack_name: "test" },
    });
    if (exitCode !== code) throw new Error(`the executor's container ended with ${exitCode}: ${response.error ?? ""}`);
  };
  const alone = {
    ...process.env,
    ...{ KILN_MODULE_DIR: module, KILN_RUN_DIR: path.join(scratch, "run"), KILN_MODULE_TOOL: "opentofu" },
  };
  const files = ["--input", path.join(refused, "input.json"), "--output", path.join(scratch, "output.json")];
  return [
    { name: "noop", what: "docker run of true", perform: () => contained(["--entrypoint", "true", image], 0) },
    {
      name: "entrypoint",
      what: "the entrypoint alone, to a refusal, without a container",
      async perform() {
        const { code } = await run(entrypoint, files, { env: alone, allowFailure: true });
        if (code !== 3) throw new Error(`the entrypoint ended with ${code}`);
      },
    },
    {
      name: "contained",
      what: "docker run of the entrypoint, to a refusal",
      perform: () => contained(["--volume", `${refused}:/workspace`, image], 3),
    },
    { name: "executed", what: "the executor, to a refusal", perform: () => executed("destroy", 3) },
    {
      name: "tool",
      what: "docker run of OpenTofu's init, plan and show by hand",
      perform: () => contained(["--entrypoint", "sh", image, "-c", byHand("tofu", "/app", "/tmp/work")], 0),
    },
    {
      name: "direct",
      what: "the same on this machine, without a container",
      async perform() {
        const work = path.join(scratch, "direct");
        await rm(work, { recursive: true, force: true });
        await run("sh", ["-c", byHand(tofu, path.join(copied, "app"), work)], { env: host });
      },
    },
    {
      name: "previewed",
      what: "docker run of the entrypoint, preview",
      perform: () => contained(["--volume", `${previewed}:/workspace`, image], 0),
    },
    { name: "previewed by executor", what: "the executor, preview", perform: () => executed("preview", 0) },
  ];
}

/** The module and the providers of an image, on this machine: what the tool reads there is the same. */
async function copyOfImage({ engine, image, scratch }: WaysOptions): Promise<string> {
  const env = engineEnvironment(engine);
  const folder = path.join(scratch, "copied");
  await mkdir(folder);
  const container = (await run(engine.docker, ["create", image], { env })).stdout.trim();
  try {
    for (const place of ["/app", "/opt/kiln/tofu/providers"]) {
      await run(engine.docker, ["cp", `${container}:${place}`, folder], { env });
    }
  } finally {
    await run(engine.docker, ["rm", "--volumes", container], { env, allowFailure: true });
  }
  return folder;
}
