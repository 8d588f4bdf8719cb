import { chosenEngine, engineEnvironment, findEngine, missingEngineRefusal, withoutHost } from "./docker-engine.ts";
import { buildRefusal, loopbackRefusal, readEngineKind } from "./engine-kind.ts";
import { refusedFinding, type Finding } from "./finding.ts";
import { managedEngineHost } from "./managed-engine.ts";
import type { Places } from "./places.ts";

const NAME = "docker engine";

/** How it stands with the Docker engine that kiln would use, and with what kiln needs of it. */
export async function engineFinding(places: Places, environment: NodeJS.ProcessEnv): Promise<Finding> {
  const own = managedEngineHost(places);
  const env = withoutHost(environment, own);
  const chosen = await chosenEngine(env);
  const found =
    (await findEngine(env)) ?? (chosen === undefined ? await findEngine({ ...env, DOCKER_HOST: own }) : undefined);
  if (found === undefined) return missingFinding(env);
  const engineEnv = engineEnvironment(found, env);
  const kind = await readEngineKind(found.docker, engineEnv);
  if (kind === undefined) return missingFinding(env);
  const name = kind.rootless ? `${NAME} (rootless)` : NAME;
  const refusal = buildRefusal(kind) ?? (await loopbackRefusal(found.docker, engineEnv, kind));
  if (refusal !== undefined) return { ...refusedFinding(name, kind.version, refusal), path: found.docker };
  const source = found.host === own ? "started by kiln" : (chosen ?? "default socket");
  return { name, version: kind.version, status: "ok", source, path: found.docker, blocks: true };
}

/** Where none answers: what `readyEngine` would end with, or that it starts one. */
async function missingFinding(env: NodeJS.ProcessEnv): Promise<Finding> {
  const refusal = await missingEngineRefusal(env);
  const row = { name: NAME, version: "with BuildKit", status: "missing" } as const;
  if (refusal !== undefined) return { ...row, source: refusal.reason, mend: refusal.mend, blocks: true };
  return { ...row, source: "none answers", mend: "nothing: `kiln up` installs and starts one", blocks: false };
}
