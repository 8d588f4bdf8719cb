import { readdir, readFile, writeFile, mkdir, access } from "node:fs/promises";
import path from "node:path";
import { run } from "../process.ts";
import { PLUGIN_VERSIONS, type LoopbackPlugin } from "./allowed-stacks.ts";

/** Holds `pulumi-language-nodejs`. */
export const NODEJS_HOST_DIRECTORY = path.join(import.meta.dirname, "nodejs-host");

/** Holds `pulumi-resource-docker`. */
export const DOCKER_PROVIDER_DIRECTORY = path.join(import.meta.dirname, "docker-provider");

/** Holds `pulumi-resource-kubernetes`. */
export const KUBERNETES_PROVIDER_DIRECTORY = path.join(import.meta.dirname, "kubernetes-provider");

/** Holds `pulumi-resource-github`. */
export const GITHUB_PROVIDER_DIRECTORY = path.join(import.meta.dirname, "github-provider");

/** Holds `pulumi-resource-aws`. */
export const AWS_PROVIDER_DIRECTORY = path.join(import.meta.dirname, "aws-provider");

/** The directory of each loopback provider. */
export const PROVIDER_DIRECTORIES: Readonly<Record<LoopbackPlugin, string>> = {
  docker: DOCKER_PROVIDER_DIRECTORY,
  kubernetes: KUBERNETES_PROVIDER_DIRECTORY,
  github: GITHUB_PROVIDER_DIRECTORY,
  aws: AWS_PROVIDER_DIRECTORY,
};

const PLUGINS = Object.keys(PROVIDER_DIRECTORIES) as readonly LoopbackPlugin[];

export interface PluginPlaces {
  /** The Pulumi executable. Official releases have the language hosts beside it. */
  readonly pulumi: string;
  /** PULUMI_HOME: where Pulumi installs plugins. */
  readonly pulumiHome: string;
  /** Where it is kept that a download failed. */
  readonly state: string;
  readonly env: NodeJS.ProcessEnv;
}

const DAY_MS = 24 * 60 * 60 * 1_000;
const DOWNLOAD_MS = 60_000;

/**
 * The directories to put first on PATH so that Pulumi finds the plugins this machine lacks: a loopback plugin for each
 * official one that is neither installed nor to be had. Only docker, which the local stack needs, is downloaded to find out:
 * where that can be had, Pulumi itself gets the others when a stack asks for them. A failed download is not tried again for a
 * day.
 */
export async function loopbackPluginDirectories(places: PluginPlaces): Promise<readonly string[]> {
  const host = (await hasLanguageHost(places)) ? [] : [NODEJS_HOST_DIRECTORY];
  if ((await hasPlugin("docker", places)) || (await installDockerPlugin(places))) return host;
  const isThere = await Promise.all(PLUGINS.map((plugin) => hasPlugin(plugin, places)));
  return [
    ...host,
    ...PLUGINS.filter((_, index) => isThere[index] !== true).map((plugin) => PROVIDER_DIRECTORIES[plugin]),
  ];
}

async function hasLanguageHost({ pulumi, env }: PluginPlaces): Promise<boolean> {
  return isAnywhere("pulumi-language-nodejs", [path.dirname(pulumi), ...searchPath(env)]);
}

async function hasPlugin(plugin: LoopbackPlugin, { pulumiHome, env }: PluginPlaces): Promise<boolean> {
  const installed = await readdir(path.join(pulumiHome, "plugins")).catch((): string[] => []);
  if (installed.includes(`resource-${plugin}-v${PLUGIN_VERSIONS[plugin]}`)) return true;
  return isAnywhere(`pulumi-resource-${plugin}`, searchPath(env));
}

/** PATH without the loopback plugins themselves, which `kiln env` may have put there. */
function searchPath(env: NodeJS.ProcessEnv): string[] {
  const own = [NODEJS_HOST_DIRECTORY, ...Object.values(PROVIDER_DIRECTORIES)];
  return (env.PATH ?? "").split(path.delimiter).filter((directory) => directory !== "" && !own.includes(directory));
}

async function isAnywhere(file: string, directories: readonly string[]): Promise<boolean> {
  const found = await Promise.all(
    directories.map((directory) =>
      access(path.join(directory, file)).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true);
}

/** Whether Pulumi could download the official plugin. */
async function installDockerPlugin({ pulumi, pulumiHome, state, env }: PluginPlaces): Promise<boolean> {
  const failure = path.join(state, "docker-plugin-download-failed-at");
  const failedAt = Number(await readFile(failure, "utf8").catch(() => "0"));
  if (Date.now() - failedAt < DAY_MS) return false;
  const install = ["plugin", "install", "resource", "docker", PLUGIN_VERSIONS.docker];
  const installed = await run(pulumi, install, {
    env: { ...env, PULUMI_HOME: pulumiHome },
    signal: AbortSignal.timeout(DOWNLOAD_MS),
    allowFailure: true,
  }).then(
    ({ code }) => code === 0,
    () => false,
  );
  if (installed) return true;
  await mkdir(state, { recursive: true });
  await writeFile(failure, String(Date.now()));
  return false;
}
