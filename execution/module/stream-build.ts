import type { Readable } from "node:stream";
import { KilnError } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import { engineEnvironment, type Engine } from "../../toolchain/docker-engine.ts";
import { networkMend, withoutProxySecrets } from "../../toolchain/network.mjs";
import { run } from "../../toolchain/process.ts";
import { proxyFlags } from "../docker.ts";

export interface StreamBuild {
  /** A tar archive of the context, the Dockerfile in it. */
  readonly context: Readable;
  /** Where in the context the Dockerfile is. */
  readonly dockerfile: string;
  readonly tag: string;
  readonly platform: string;
  /** Plain text in the image's history: references of images, no secrets. */
  readonly args: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Files that steps of the build may read while they run, by id; never in a layer. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly progress: Progress;
}

/** The command line of a build whose context comes on standard input. */
export function streamBuildArguments(build: Omit<StreamBuild, "context" | "progress">, env: NodeJS.ProcessEnv) {
  const pairs = (flag: string, values: Readonly<Record<string, string>>) =>
    Object.entries(values)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([name, value]) => [flag, `${name}=${value}`]);
  return [
    ...["build", "--progress=plain", "--file", build.dockerfile, "--tag", build.tag, "--platform", build.platform],
    ...proxyFlags(env),
    ...Object.entries(build.secrets)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([id, file]) => ["--secret", `id=${id},src=${file}`]),
    ...pairs("--build-arg", build.args),
    ...pairs("--label", build.labels),
    "-",
  ];
}

/** Builds an image from a context that is made while it is sent. Throws with the last lines of the step that failed. */
export async function streamBuild(engine: Engine, build: StreamBuild): Promise<void> {
  const env = engineEnvironment(engine);
  const lines: string[] = [];
  const { code } = await run(engine.docker, streamBuildArguments(build, env), {
    ...{ env, input: build.context, discardOutput: true, allowFailure: true },
    onStderrLine: (line) => {
      lines.push(line);
      if (lines.length > KEPT_LINES) lines.shift();
      const step = /^#\d+ \[.*?(\d+)\/(\d+)\] (.*)$/.exec(line);
      if (step) build.progress.update(step[3] ?? "", Number(step[1]), Number(step[2]));
    },
  });
  if (code !== 0) throw failed(build.tag, lines, env);
}

const KEPT_LINES = 25;

function failed(tag: string, lines: readonly string[], env: NodeJS.ProcessEnv): KilnError {
  const said = withoutProxySecrets(lines.join("\n"), env);
  const mend = networkMend(said);
  return new KilnError("failed", `docker build of ${tag} failed:\n${said}`, mend === undefined ? {} : { mend });
}
