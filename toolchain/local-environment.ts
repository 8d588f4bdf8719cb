import { mkdir } from "node:fs/promises";
import path from "node:path";
import type { Progress } from "../progress.ts";
import { findEngine, type Engine } from "./docker-engine.ts";
import { managedEngineHost } from "./managed-engine.ts";
import { networkEnvironment } from "./network.mjs";
import type { Places } from "./places.ts";
import { loopbackPluginDirectories } from "./plugins/directories.ts";
import { resolveTools } from "./resolve.ts";

/** Variables that make plain `pulumi` work on the local stack: tools, backend, passphrase, engine. */
export type LocalEnvironment = Readonly<Record<string, string>>;

/**
 * The variables of the local environment, tools installed where they are missing. The Pulumi home is the environment's
 * own, so that no login of the user is touched.
 */
export async function readyLocalEnvironment(
  places: Places,
  engine: Engine | undefined,
  progress: Progress,
  env: NodeJS.ProcessEnv = process.env,
): Promise<LocalEnvironment> {
  const tools = await resolveTools(["pulumi", "opentofu", "regctl", "go"], { places, progress, env });
  const pulumiHome = path.join(places.state, "pulumi-home");
  const backend = path.join(places.state, "pulumi");
  await Promise.all([mkdir(backend, { recursive: true }), mkdir(pulumiHome, { recursive: true })]);
  const plugins = await loopbackPluginDirectories({ pulumi: tools.pulumi.path, pulumiHome, state: places.state, env });
  if (plugins.length > 0) {
    const names = plugins.map((directory) => path.basename(directory)).join(", ");
    progress.note(`Pulumi's official plugins cannot be had here: the local stack uses kiln's loopback ${names}`);
  }
  const found = engine ?? (await findEngine({ ...env, DOCKER_HOST: env.DOCKER_HOST ?? managedEngineHost(places) }));
  const directories = [
    ...plugins,
    path.dirname(process.execPath),
    ...[tools.pulumi, tools.opentofu, tools.regctl, tools.go].map((tool) => path.dirname(tool.path)),
    ...(found ? [path.dirname(found.docker)] : []),
  ];
  const inherited = (env.PATH ?? "").split(path.delimiter).filter((directory) => !directories.includes(directory));
  return {
    PATH: [...new Set([...directories, ...inherited])].join(path.delimiter),
    PULUMI_HOME: pulumiHome,
    PULUMI_BACKEND_URL: `file://${backend}`,
    PULUMI_CONFIG_PASSPHRASE: "",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    DOCKER_BUILDKIT: "1",
    ...(found?.host === undefined ? {} : { DOCKER_HOST: found.host }),
    ...proxyExceptions(env),
  };
}

/** Behind a proxy, its exceptions: programs and engine talk to each other over loopback, and their client takes the proxy. */
function proxyExceptions(env: NodeJS.ProcessEnv): LocalEnvironment {
  const { no_proxy: exceptions } = networkEnvironment(env);
  return exceptions === undefined ? {} : { no_proxy: exceptions, NO_PROXY: exceptions };
}

/** Assignments that a POSIX shell's `eval` takes. */
export function shellAssignments(environment: LocalEnvironment): string {
  return Object.entries(environment)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'`)
    .join("\n");
}
