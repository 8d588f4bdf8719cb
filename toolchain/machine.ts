import { clockRefusal, pastDates } from "./clock.ts";
import { throwIfRefused } from "./finding.ts";
import { certificatesRefusal, proxyRefusal } from "./network-finding.ts";
import type { Places } from "./places.ts";
import { findTool } from "./resolve.ts";

/** Throws, with the words of `kiln doctor`, where the clock, a proxy or the certificates of this machine cannot be right. */
export async function requireSoundMachine(places: Places, env: NodeJS.ProcessEnv = process.env): Promise<void> {
  const now = new Date();
  const go = await findTool("go", { places, env });
  throwIfRefused(clockRefusal(now, await pastDates(places, go?.root)));
  throwIfRefused(proxyRefusal(env));
  throwIfRefused(await certificatesRefusal(env, now));
}
