import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import type { Engine } from "../toolchain/docker-engine.ts";
import { EngineSocket } from "./engine-socket.ts";

const UNIX = "unix://";

/**
 * The socket of an engine of this machine; undefined for any other, and where a person's settings of the client would be
 * missed: its `proxies` are variables of each container, its `HttpHeaders` are for who guards the engine.
 */
export function engineSocket({ host }: Pick<Engine, "host">, env: NodeJS.ProcessEnv): EngineSocket | undefined {
  if (host?.startsWith(UNIX) !== true) return undefined;
  const settings = clientSettings(env);
  if (settings === undefined || "proxies" in settings || "HttpHeaders" in settings) return undefined;
  return new EngineSocket(host.slice(UNIX.length));
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
