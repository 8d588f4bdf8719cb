import { existsSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { createConnection } from "node:net";
import path from "node:path";
import { KilnError } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { runningDaemon, startDaemon, stopDaemon } from "./daemon.ts";
import { withLock } from "./lock.ts";
import type { Places } from "./places.ts";
import { resolveTool } from "./resolve.ts";

/**
 * Starts the registry of the local stack at `address` (`localhost:PORT`), bound to the loopback interface only; does
 * nothing where it runs already. Throws a KilnError that names the config key when something else has the port.
 */
export async function startRegistry(options: {
  readonly places: Places;
  readonly address: string;
  readonly progress: Progress;
}): Promise<void> {
  const { places, address, progress } = options;
  const port = registryPort(address);
  const home = registryHome(places);
  await mkdir(home, { recursive: true });
  await withLock(`${home}.lock`, progress, "the start of the loopback registry", async () => {
    const config = path.join(home, "config.json");
    const wanted = registryConfig(home, port);
    const running = (await runningDaemon(pidFile(home))) !== undefined;
    const unchanged = (await readFile(config, "utf8").catch(() => "")) === wanted;
    if (running && unchanged && (await answersAsRegistry(port))) return;
    if (running) await stopDaemon(pidFile(home));
    if (await accepts(port)) {
      throw new KilnError("unreachable", `something else already listens on 127.0.0.1:${port}`, {
        mend: "set `kiln:registry` in the stack's file (stacks/Pulumi.<stack>.yaml) to a free port, such as localhost:5280",
      });
    }
    const tool = await resolveTool("registry", { places, progress });
    progress.step(`starting the loopback registry at ${address}`);
    await writeFile(`${config}.new`, wanted);
    await rename(`${config}.new`, config);
    const logFile = path.join(home, "registry.log");
    const env = { ...process.env, OTEL_TRACES_EXPORTER: "none" };
    const name = "the loopback registry";
    await startDaemon({ name, command: tool.path, args: ["serve", config], env, pidFile: pidFile(home), logFile }, () =>
      answersAsRegistry(port),
    );
  });
}

/** Stops the registry of this checkout; what was pushed stays. Returns whether one was running. */
export async function stopRegistry(options: { readonly places: Places }): Promise<boolean> {
  const home = registryHome(options.places);
  return existsSync(home) && stopDaemon(pidFile(home));
}

/** The port of a loopback address; throws a KilnError for any other host, which would open the registry to the network. */
export function registryPort(address: string): number {
  const port = Number(/^(?:localhost|127\.0\.0\.1):(\d{1,5})$/.exec(address)?.[1]);
  if (port >= 1 && port <= 65_535) return port;
  throw new KilnError("usage", `kiln:registry is ${address}, which is no loopback address`, {
    mend: "set `kiln:registry` in the stack's file to localhost:PORT, such as localhost:5180",
  });
}

function registryHome(places: Places): string {
  return path.join(places.state, "registry");
}

function pidFile(home: string): string {
  return path.join(home, "registry.pid.json");
}

/** The registry's configuration; JSON is YAML too. */
function registryConfig(home: string, port: number): string {
  const storage = {
    filesystem: { rootdirectory: path.join(home, "data") },
    delete: { enabled: true },
    cache: { blobdescriptor: "inmemory" },
    maintenance: { uploadpurging: { enabled: false } },
  };
  const http = { addr: `127.0.0.1:${port}`, headers: { "X-Content-Type-Options": ["nosniff"] } };
  // `release run` counts by it what jobs moved; each start of the registry begins the log anew.
  const log = { level: "warn", accesslog: { disabled: false } };
  return JSON.stringify({ version: "0.1", log, storage, http }, null, 2);
}

async function answersAsRegistry(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/v2/`, { signal: AbortSignal.timeout(5_000) }).then(
    (response) => response.ok,
    () => false,
  );
}

/** Whether anything takes connections on this port of the loopback interface. */
function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: "127.0.0.1", port });
    const end = (taken: boolean) => {
      socket.destroy();
      resolve(taken);
    };
    socket.once("connect", () => {
      end(true);
    });
    socket.once("error", () => {
      end(false);
    });
  });
}
