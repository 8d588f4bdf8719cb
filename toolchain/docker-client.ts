import path from "node:path";
import { executablesOnPath } from "./executables.ts";
import { interruption, run, throwIfInterrupted } from "./process.ts";

const ASK_MS = 20_000;
const FIRST_WITHOUT_BUILDKIT_INSIDE = 23;

/** Every `docker` on PATH, then the one of the distribution, each once. */
export async function clientCandidates(env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  return executablesOnPath("docker", { PATH: [env.PATH ?? "", "/usr/bin"].join(path.delimiter) });
}

/**
 * The first docker client that can build with BuildKit: before 23 every client can, later ones need the buildx plugin.
 * Undefined where none can.
 */
export async function buildKitClient(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const client of await clientCandidates(env)) {
    if (await canBuild(client, env)) return client;
  }
  return undefined;
}

/** The version of the engine that answers a client, or undefined where none does within 20 seconds. */
export async function engineVersion(client: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const version = await askDocker(client, ["version", "--format", "{{.Server.Version}}"], env);
  return version !== undefined && /^\d+\./.test(version) ? version : undefined;
}

/** The major version in what `docker --version` prints; undefined for anything else that is called docker. */
export function clientMajor(printed: string): number | undefined {
  const major = /^Docker version (\d+)\./.exec(printed)?.[1];
  return major === undefined ? undefined : Number(major);
}

/** Whether a program that is called docker is Podman's, as of Debian's package podman-docker. */
export async function isPodman(client: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  return /^podman version /m.test((await askDocker(client, ["--version"], env)) ?? "");
}

async function canBuild(client: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  const major = clientMajor((await askDocker(client, ["--version"], env)) ?? "");
  if (major === undefined) return false;
  return major < FIRST_WITHOUT_BUILDKIT_INSIDE || (await askDocker(client, ["buildx", "version"], env)) !== undefined;
}

/** What a client prints, or undefined where it fails or does not end in time. */
export async function askDocker(
  client: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  const signal = AbortSignal.any([interruption.signal, AbortSignal.timeout(ASK_MS)]);
  try {
    const result = await run(client, args, { env, signal, allowFailure: true });
    return result.code === 0 ? result.stdout.trim() : undefined;
  } catch {
    throwIfInterrupted();
    return undefined;
  }
}
