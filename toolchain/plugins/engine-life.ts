import { connect } from "node:net";
import { engineAddress } from "./engine-log.ts";

const LOOK_EVERY_MS = 1_000;

/**
 * Calls `end` when this plugin is told to stop, or when the engine that started it is gone: a Pulumi that fails early
 * does not always take its plugins with it.
 */
export function onEngineEnd(end: () => void): void {
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, end);
  const engine = process.ppid;
  setInterval(() => {
    if (process.ppid !== engine) end();
  }, LOOK_EVERY_MS).unref();
  // An engine that was gone before this line leaves another parent already, which stays.
  const [host, port] = engineAddress(process.argv.slice(2))?.split(":") ?? [];
  if (port === undefined) return;
  const call = connect(Number(port), host);
  call.once("connect", () => call.destroy()).once("error", end);
}
