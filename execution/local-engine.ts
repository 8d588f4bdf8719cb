import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import type { Engine } from "../toolchain/docker-engine.ts";
import { selectedEndpoint } from "../toolchain/engine-kind.ts";
import { EngineSocket } from "./engine-socket.ts";

const UNIX = "unix://";

/**
 * The path of the socket by which an engine of this machine is reached; undefined for any other. Where nobody named an
 * address, the client is asked which it uses: that of the default socket, or of a context.
 */
export async function localSocket(
  { docker, host = "" }: Pick<Engine, "docker" | "host">,
  env: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  const { address } = host === "" ? await selectedEndpoint(docker, env) : { address: host };
  return address.startsWith(UNIX) ? address.slice(UNIX.length) : undefined;
}

/**
 * The engine behind a socket, to be asked without the client; undefined where a person's settings of the client would be
 * missed: its `proxies` are variables of each container, its headers are for who guards the engine.
 */
export function engineSocket(socket: string | undefined, env: NodeJS.ProcessEnv): EngineSocket | undefined {
  if (socket === undefined || (env.DOCKER_CUSTOM_HEADERS ?? "") !== "") return undefined;
  const settings = clientSettings(env);
  if (settings === undefined || "proxies" in settings || "HttpHeaders" in settings) return undefined;
  return new EngineSocket(socket);
}

/** The client's `config.json`, empty where there is none; undefined where only the client may know what it says. */
function clientSettings(env: NodeJS.ProcessEnv): object | undefined {
  const folder = env.DOCKER_CONFIG ?? path.join(env.HOME ?? homedir(), ".docker");
  try {
    const settings = JSON.parse(readFileSync(path.join(folder, "config.json"), "utf8")) as unknown;
    return typeof settings === "object" ? (settings ?? {}) : undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? {} : undefined;
  }
}
