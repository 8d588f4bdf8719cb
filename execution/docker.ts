import { KilnError } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { engineEnvironment, type Engine } from "../toolchain/docker-engine.ts";
import { certificateFile, hasLoopbackProxy, networkMend, withoutProxySecrets } from "../toolchain/network.mjs";
import { lastLines, run } from "../toolchain/process.ts";

export interface BuildOptions {
  readonly context: string;
  readonly dockerfile: string;
  readonly tag: string;
  readonly target?: string;
  readonly platform?: string;
  readonly args?: Readonly<Record<string, string>>;
  /** Whether every step is run anew, as on a machine that never built it. */
  readonly noCache?: boolean;
  /** A file of CA certificates that the build's own downloads trust; mounted, never in a layer. */
  readonly certificates?: string | undefined;
  readonly progress: Progress;
}

/**
 * The CA bundle that this machine's programs are told to trust, such as a company proxy's: what builds need as well.
 * `KILN_CA_FILE` decides; otherwise the variables that other tools read.
 */
export function buildCertificates(env: NodeJS.ProcessEnv = process.env): string | undefined {
  return certificateFile(env);
}

/** Build arguments that every Dockerfile has without naming them; they enter neither an image's history nor cache keys. */
const PROXY_ARGUMENTS = ["http_proxy", "https_proxy", "no_proxy"].flatMap((name) => [name, name.toUpperCase()]);

/**
 * Flags by which the steps of a build use the proxies of an environment: by name only, so that no password of theirs
 * stands in a command line, and in this machine's network where a proxy listens on its loopback.
 */
export function proxyFlags(env: NodeJS.ProcessEnv): readonly string[] {
  const named = PROXY_ARGUMENTS.filter((name) => (env[name] ?? "") !== "");
  return [...named.flatMap((name) => ["--build-arg", name]), ...(hasLoopbackProxy(env) ? ["--network", "host"] : [])];
}

/** Removes every image of a repository prefix from the engine, as far as nothing uses it; its registry keeps its own. */
export async function removeImages(engine: Engine, prefix: string): Promise<void> {
  const env = engineEnvironment(engine);
  const format = "{{.Repository}} {{.Tag}} {{.Digest}}";
  const { stdout } = await run(engine.docker, ["image", "ls", "--digests", "--format", format], { env });
  const names = stdout.split("\n").flatMap((line) => {
    const [repository = "", tag, digest] = line.split(" ");
    if (!repository.startsWith(prefix)) return [];
    return [tag === "<none>" ? `${repository}@${digest ?? ""}` : `${repository}:${tag ?? ""}`];
  });
  if (names.length > 0) await run(engine.docker, ["image", "rm", ...names], { env, allowFailure: true });
}

/** Builds an image with BuildKit into the engine under `tag`. Build arguments are plain text in its history: no secrets. */
export async function buildImage(engine: Engine, options: BuildOptions): Promise<void> {
  const env = engineEnvironment(engine);
  const args = [
    "build",
    "--progress=plain",
    ...["--file", options.dockerfile, "--tag", options.tag],
    ...(options.target === undefined ? [] : ["--target", options.target]),
    ...(options.noCache === true ? ["--no-cache"] : []),
    ...(options.platform === undefined ? [] : ["--platform", options.platform]),
    ...proxyFlags(env),
    ...(options.certificates === undefined ? [] : ["--secret", `id=ca,src=${options.certificates}`]),
    ...Object.entries(options.args ?? {}).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]),
    options.context,
  ];
  const result = await run(engine.docker, args, {
    env,
    allowFailure: true,
    onStderrLine: (line) => {
      const step = /^#\d+ \[.*?(\d+)\/(\d+)\] (.*)$/.exec(line);
      if (step) options.progress.update(step[3] ?? "", Number(step[1]), Number(step[2]));
    },
  });
  if (result.code !== 0) {
    const said = withoutProxySecrets(lastLines(result.stderr, 15), env);
    const mend = networkMend(said);
    const message = `docker build of ${options.dockerfile} failed:\n${said}`;
    throw new KilnError("failed", message, mend === undefined ? {} : { mend });
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

/** A label of an image, pulled where the engine does not have it; undefined where the image has no such label. */
export async function readLabel(engine: Engine, image: string, label: string): Promise<string | undefined> {
  const env = engineEnvironment(engine);
  if (!(await hasImage(engine, image))) {
    const pulled = await run(engine.docker, ["pull", "--quiet", image], { env, allowFailure: true });
    if (pulled.code !== 0) {
      throw new KilnError("unreachable", `${image} cannot be pulled: ${lastLines(pulled.stderr, 2)}`, {
        mend: "Check the name; bring up its registry (`npm run up` for a loopback one), or log in to it with `docker login`.",
      });
    }
  }
  const { stdout } = await run(engine.docker, ["image", "inspect", "--format", "{{json .Config.Labels}}", image], {
    env,
  });
  return (JSON.parse(stdout) as Readonly<Record<string, string>> | null)?.[label];
}

/** Whether the engine has an image under this name. */
export async function hasImage(engine: Engine, tag: string): Promise<boolean> {
  const result = await run(engine.docker, ["image", "inspect", tag], {
    env: engineEnvironment(engine),
    allowFailure: true,
  });
  return result.code === 0;
}
