import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";
import { silent } from "../../progress.ts";
import { readImage } from "../../registry/compose.ts";
import { parseReference } from "../../registry/image-reference.ts";
import { toolVersions } from "../../toolchain/pins.ts";
import { places } from "../../toolchain/places.ts";
import { run, type RunResult } from "../../toolchain/process.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import { kiln, type Checkout } from "./checkout.ts";

/** The Docker engine and the shell that `kiln env` describes. */
export interface TestEngine {
  /** Runs docker; throws when it fails. */
  docker(args: readonly string[]): Promise<RunResult>;
  /** Builds a Dockerfile without a context under a tag, which it returns; gone when the test ends. */
  build(dockerfile: string, tag: string): Promise<string>;
  /** The image with this kiln's tools, which a bake left in the engine; one of another kiln may stand beside it. */
  toolsImage(): Promise<string>;
  /** Removes an image. */
  remove(tag: string): Promise<void>;
  /** Runs any command in the environment of `kiln env`, and gives its end whatever it is. */
  shell(command: string, args: readonly string[]): Promise<RunResult>;
}

export async function engineOf(checkout: Checkout): Promise<TestEngine> {
  const described = await kiln(checkout, ["env", "--json"]);
  const env = { ...process.env, ...checkout.env, ...(JSON.parse(described.stdout) as NodeJS.ProcessEnv) };
  const docker = (args: readonly string[]) => run("docker", args, { env });
  const remove = async (tag: string) => {
    await run("docker", ["image", "rm", "--force", tag], { env, allowFailure: true });
  };
  return {
    docker,
    remove,
    async toolsImage() {
      const { stdout } = await docker(["image", "ls", "--format", "{{.Repository}}:{{.Tag}}"]);
      const name = stdout.split("\n").find((tag) => tag.startsWith(`kiln-tools:${toolVersions.go}-`));
      if (name === undefined) throw new Error("no bake has left its tools in the engine");
      return name;
    },
    async build(dockerfile, tag) {
      const context = await mkdtemp(path.join(tmpdir(), "kiln-build-"));
      try {
        await writeFile(path.join(context, "Dockerfile"), dockerfile);
        onTestFinished(() => remove(tag));
        await docker(["build", "--no-cache", "--tag", tag, context]);
        return tag;
      } finally {
        await rm(context, { recursive: true, force: true });
      }
    },
    shell: (command, args) => run(command, args, { env, cwd: checkout.directory, allowFailure: true }),
  };
}

async function readFromRegistry(reference: string) {
  const { path: regctl } = await resolveTool("regctl", { places: places(), progress: silent });
  return readImage({ regctl }, parseReference(reference));
}

/** Digests of an image's layers as its registry has them. */
export async function imageLayers(reference: string): Promise<readonly string[]> {
  return (await readFromRegistry(reference)).manifest.layers.map(({ digest }) => digest);
}

interface ContainerConfig {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Labels: Readonly<Record<string, string>>;
}

/** What an image says of the containers made from it. */
export async function imageConfig(reference: string): Promise<ContainerConfig> {
  return (await readFromRegistry(reference)).config.config as unknown as ContainerConfig;
}
