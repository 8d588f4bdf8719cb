import { readdir, readFile, writeFile, mkdir, access } from "node:fs/promises";
import path from "node:path";
import { run } from "../process.ts";
import { DOCKER_PLUGIN_VERSION } from "./allowed-stacks.ts";

/** Holds `pulumi-language-nodejs`. */
export const NODEJS_HOST_DIRECTORY = path.join(import.meta.dirname, "nodejs-host");

/** Holds `pulumi-resource-docker`. */
export const DOCKER_PROVIDER_DIRECTORY = path.join(import.meta.dirname, "docker-provider");

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
 * official one that is neither installed nor to be had. A failed download is not tried again for a day.
 */
export async function loopbackPluginDirectories(places: PluginPlaces): Promise<readonly string[]> {
  const missing: string[] = [];
  if (!(await hasLanguageHost(places))) missing.push(NODEJS_HOST_DIRECTORY);
  if (!(await hasDockerPlugin(places)) && !(await installDockerPlugin(places))) missing.push(DOCKER_PROVIDER_DIRECTORY);
  return missing;
}

async function hasLanguageHost({ pulumi, env }: PluginPlaces): Promise<boolean> {
  return isAnywhere("pulumi-language-nodejs", [path.dirname(pulumi), ...searchPath(env)]);
}

async function hasDockerPlugin({ pulumiHome, env }: PluginPlaces): Promise<boolean> {
  const installed = await readdir(path.join(pulumiHome, "plugins")).catch((): string[] => []);
  if (installed.includes(`resource-docker-v${DOCKER_PLUGIN_VERSION}`)) return true;
  return isAnywhere("pulumi-resource-docker", searchPath(env));
}

/** PATH without the loopback plugins themselves, which `kiln env` may have put there. */
function searchPath(env: NodeJS.ProcessEnv): string[] {
  const own = [NODEJS_HOST_DIRECTORY, DOCKER_PROVIDER_DIRECTORY];
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
  const install = ["plugin", "install", "resource", "docker", DOCKER_PLUGIN_VERSION];
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
