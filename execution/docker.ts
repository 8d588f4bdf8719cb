import type { Progress } from "../progress.ts";
import { engineEnvironment, type Engine } from "../toolchain/docker-engine.ts";
import { lastLines, run } from "../toolchain/process.ts";
import { KilnError } from "../errors.ts";

export interface BuildOptions {
  readonly context: string;
  readonly dockerfile: string;
  readonly tag: string;
  readonly target?: string;
  readonly platform?: string;
  readonly args?: Readonly<Record<string, string>>;
  readonly progress: Progress;
}

/** Builds an image with BuildKit into the engine under `tag`. Build arguments are plain text in its history: no secrets. */
export async function buildImage(engine: Engine, options: BuildOptions): Promise<void> {
  const args = [
    "build",
    "--progress=plain",
    ...["--file", options.dockerfile, "--tag", options.tag],
    ...(options.target === undefined ? [] : ["--target", options.target]),
    ...(options.platform === undefined ? [] : ["--platform", options.platform]),
    ...Object.entries(options.args ?? {}).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]),
    options.context,
  ];
  const result = await run(engine.docker, args, {
    env: engineEnvironment(engine),
    allowFailure: true,
    onStderrLine: (line) => {
      const step = /^#\d+ \[.*?(\d+)\/(\d+)\] (.*)$/.exec(line);
      if (step) options.progress.update(step[3] ?? "", Number(step[1]), Number(step[2]));
    },
  });
  if (result.code !== 0) {
    throw new KilnError("failed", `docker build of ${options.dockerfile} failed:\n${lastLines(result.stderr, 15)}`);
  }
}

/** Pushes an image of the engine and returns the digest that the registry gave it. */
export async function pushImage(engine: Engine, tag: string): Promise<string> {
  const result = await run(engine.docker, ["push", tag], { env: engineEnvironment(engine), allowFailure: true });
  const digest = /digest: (sha256:[0-9a-f]{64})/.exec(result.stdout)?.[1];
  if (result.code === 0 && digest !== undefined) return digest;
  const said = lastLines(result.stderr, 3);
  const unreachable = /connection refused|no such host|timeout|dial tcp|denied|unauthorized/i.test(said);
  throw new KilnError(unreachable ? "unreachable" : "failed", `docker push ${tag} failed: ${said}`, {
    mend: "Check that the registry runs and that you are logged in to it (`docker login`), then run the command again.",
  });
}

/** Whether the engine has an image under this name. */
export async function hasImage(engine: Engine, tag: string): Promise<boolean> {
  const result = await run(engine.docker, ["image", "inspect", tag], {
    env: engineEnvironment(engine),
    allowFailure: true,
  });
  return result.code === 0;
}
