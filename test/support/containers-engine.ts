import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { printer } from "../../cli/printer.ts";
import { removeJobsNetwork } from "../../execution/job/network.ts";
import { engineEnvironment, readyEngine, stopEngine } from "../../toolchain/docker-engine.ts";
import { places } from "../../toolchain/places.ts";

/**
 * The engine of the tests that run containers: this checkout's own. Where its local stack is up, the engine and the images
 * that the tests made stay for the next run; else both go when the tests are over.
 */
export default async function setup(): Promise<(() => Promise<void>) | undefined> {
  const here = places();
  const wasUp = existsSync(here.state);
  const progress = printer({ stream: process.stderr, quiet: false, env: process.env, now: () => performance.now() });
  const engine = await readyEngine({ places: here, progress });
  if (wasUp) return undefined;
  return async () => {
    await removeJobsNetwork({ docker: engine.docker, env: engineEnvironment(engine) });
    await stopEngine({ places: here });
    await rm(here.state, { recursive: true, force: true });
  };
}
