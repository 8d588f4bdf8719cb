import { chmod, mkdir, writeFile } from "node:fs/promises";
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
  readonly scratch: string;
}

/** What OpenTofu's part of a preview is, without an entrypoint. */
const BY_HAND = [
  "cd /tmp && for file in /app/*.tf /app/.terraform.lock.hcl; do ln -s $file .; done",
  "export TF_DATA_DIR=/tmp/data",
  "tofu init -json >/dev/null && tofu plan -json -out=/tmp/plan >/dev/null && tofu show -json /tmp/plan >/dev/null",
].join(" && ");

/**
 * What is compared, all in the same sandbox. A destroy without state is refused before the tool starts: it is all that
 * container, entrypoint and executor do, and nothing of the tool.
 */
export async function readyWays({ engine, image, module, entrypoint, scratch }: WaysOptions): Promise<readonly Way[]> {
  const env = engineEnvironment(engine);
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
      perform: () => contained(["--entrypoint", "sh", image, "-c", BY_HAND], 0),
    },
    {
      name: "previewed",
      what: "docker run of the entrypoint, preview",
      perform: () => contained(["--volume", `${previewed}:/workspace`, image], 0),
    },
    { name: "previewed by executor", what: "the executor, preview", perform: () => executed("preview", 0) },
  ];
}
