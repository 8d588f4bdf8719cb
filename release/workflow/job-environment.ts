import { homedir } from "node:os";
import path from "node:path";
import type { Places } from "../../toolchain/places.ts";
import { agentOf } from "./access-log.ts";
import type { JobPlaces } from "./run-places.ts";
import { GITHUB_NAMES } from "./syntax.ts";
import { asText, type ValueMap } from "./value.ts";

/** Variables of this machine that reach a job: how programs are found, and how the network is. Logins are not among them. */
const KEPT =
  /^(?:PATH|LANG|LC_\w+|TZ|USER|LOGNAME|(?:https?|no|all|ftp)_proxy|SSL_CERT_(?:FILE|DIR)|NODE_EXTRA_CA_CERTS|npm_config_(?:registry|cafile|proxy|https_proxy|noproxy|cache)|GO(?:PROXY|SUMDB|NOSUMDB|NOPROXY|PRIVATE|TOOLCHAIN|FLAGS|INSECURE)|DOCKER_(?:HOST|CONFIG|TLS_VERIFY|CERT_PATH|CONTEXT)|XDG_RUNTIME_DIR|KILN_(?:CA_FILE|MIN_FREE_GB|DOCKER_MIRROR))$/i;

/** What is no variable on GitHub either, and the workspace, which is told by itself. */
const UNTOLD: ReadonlySet<string> = new Set(["event", "token", "workspace"]);
const TOLD = [...GITHUB_NAMES].filter((name) => !UNTOLD.has(name));

/**
 * The environment that every step of a job begins with. HOME is the job's own, so nothing of a person's settings leaks into a
 * release; kiln's tools, its local registry and Docker's logins stay those of this machine. CI is set; GITHUB_ACTIONS is not:
 * programs take it for an issuer of tokens, a cache service and annotations, none of which is here.
 */
export function jobEnvironment(
  env: NodeJS.ProcessEnv,
  of: { readonly places: Places; readonly job: JobPlaces; readonly key: string; readonly github: ValueMap },
): Readonly<Record<string, string>> {
  const { places, job, key, github } = of;
  const kept = Object.entries(env).filter(
    (entry): entry is [string, string] => KEPT.test(entry[0]) && entry[1] !== undefined,
  );
  const home = env.HOME ?? homedir();
  return {
    // What npm and Docker keep in HOME: content by digest, and logins of which a registry asks.
    npm_config_cache: path.join(home, ".npm"),
    DOCKER_CONFIG: path.join(home, ".docker"),
    ...Object.fromEntries(kept),
    KILN_CACHE_DIR: places.cache,
    KILN_STATE_DIR: places.state,
    HOME: job.home,
    CI: "true",
    // The name under which the registry's log has what the job moves.
    KILN_REGISTRY_AGENT: agentOf(key),
    GITHUB_WORKSPACE: job.workspace,
    ...Object.fromEntries(TOLD.map((name) => [`GITHUB_${name.toUpperCase()}`, asText(github[name] ?? null)])),
    ...runnerEnvironment(job),
  };
}

function runnerEnvironment(job: JobPlaces): Readonly<Record<string, string>> {
  const runner = runnerContext(job);
  return Object.fromEntries(Object.entries(runner).map(([name, value]) => [`RUNNER_${name.toUpperCase()}`, value]));
}

/** The `runner` context. */
export function runnerContext(job: JobPlaces): Readonly<Record<string, string>> {
  return {
    name: "this-machine",
    os: process.platform === "darwin" ? "macOS" : "Linux",
    arch: process.arch === "arm64" ? "ARM64" : "X64",
    temp: job.temp,
    tool_cache: path.join(job.root, "tools"),
  };
}
