import { mkdir } from "node:fs/promises";
import { KilnError } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { canInstallPackages, installPackages } from "./debian.ts";
import { buildKitClient, clientCandidates, engineVersion, isPodman } from "./docker-client.ts";
import { buildRefusal, PODMAN_REFUSAL, readEngineKind, selectedEndpoint, shownAddress } from "./engine-kind.ts";
import { findExecutable } from "./executables.ts";
import { throwIfRefused, type Refusal } from "./finding.ts";
import { managedEngineHost, startManagedEngine, stopManagedEngine } from "./managed-engine.ts";
import type { Places } from "./places.ts";

/** A Docker engine that answers, and a client that can build with BuildKit on it. */
export interface Engine {
  /** Path of the client. */
  readonly docker: string;
  /** What DOCKER_HOST must be for it; undefined for the client's own default. */
  readonly host: string | undefined;
  /** Whether kiln started it, and `stopEngine` may stop it. */
  readonly managed: boolean;
}

/** The environment in which the docker client reaches an engine and builds with BuildKit. */
export function engineEnvironment(engine: Engine, env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return { ...env, DOCKER_BUILDKIT: "1", ...(engine.host !== undefined && { DOCKER_HOST: engine.host }) };
}

/**
 * Finds the engine that DOCKER_HOST, the docker context or the default socket leads to. Where no one chose one and none
 * answers, as root on Debian or Ubuntu, starts one of kiln's own (installing it first where it is missing); elsewhere, and
 * where kiln cannot build on the one that answers, throws a KilnError with the mend.
 */
export async function readyEngine(options: {
  readonly places: Places;
  readonly progress: Progress;
  readonly env?: NodeJS.ProcessEnv;
}): Promise<Engine> {
  const { places, progress } = options;
  const own = managedEngineHost(places);
  // `eval "$(kiln env)"` names kiln's own engine: that is no wish for another one.
  const env = withoutHost(options.env ?? process.env, own);
  const found = await findEngine(env);
  if (found) {
    const kind = await readEngineKind(found.docker, env);
    throwIfRefused(kind && buildRefusal(kind));
    return found;
  }
  throwIfRefused(await missingEngineRefusal(env));
  const docker = await installedClient(env, progress);
  // Where an init system runs, installing the package has started an engine already.
  const startedByPackage = await findEngine(env);
  if (startedByPackage) return startedByPackage;
  await mkdir(places.state, { recursive: true });
  await startManagedEngine(places, progress, async () => {
    return (await engineVersion(docker, { ...env, DOCKER_HOST: own })) !== undefined;
  });
  return { docker, host: own, managed: true };
}

/**
 * Where no engine answers that kiln can build on: why kiln does not start one of its own, or undefined where it does. `env`
 * names no engine of kiln's.
 */
export async function missingEngineRefusal(env: NodeJS.ProcessEnv): Promise<Refusal | undefined> {
  const chosen = await chosenEngine(env);
  if (chosen !== undefined) {
    return {
      reason: `no usable Docker engine answers at ${chosen}`,
      mend: "start that engine (and install its buildx plugin), or unset DOCKER_HOST and `docker context use default`",
    };
  }
  if ((await buildKitClient(env)) === undefined) {
    const unfit = await unfitClientRefusal(env);
    if (unfit !== undefined) return unfit;
  }
  if (await canInstallPackages()) return undefined;
  return {
    reason: "no Docker engine answers",
    mend: "start Docker (sudo systemctl start docker, or Docker Desktop) or install it: https://docs.docker.com/engine/install",
  };
}

/** The engine that answers already, or undefined. Starts and installs nothing. */
export async function findEngine(env: NodeJS.ProcessEnv): Promise<Engine | undefined> {
  const docker = await buildKitClient(env);
  if (docker === undefined || (await engineVersion(docker, env)) === undefined) return undefined;
  return { docker, host: env.DOCKER_HOST, managed: false };
}

/**
 * Says that this checkout needs kiln's engine no more, and ends the engine where no other checkout does; its images go
 * with it. Engines that kiln did not start are left alone. Returns whether one was ended.
 */
export async function stopEngine(options: { readonly places: Places }): Promise<boolean> {
  return stopManagedEngine(options.places);
}

/**
 * How a person chose an engine: `DOCKER_HOST=tcp://build:2376`, `the docker context build (ssh://build)`. Undefined where
 * no one did: then the default socket serves, or an engine of kiln's own.
 */
export async function chosenEngine(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  if ((env.DOCKER_HOST ?? "") !== "") return `DOCKER_HOST=${shownAddress(env.DOCKER_HOST ?? "")}`;
  // With a context that there is not, no docker command works, not even to ask for it.
  if (!["", "default"].includes(env.DOCKER_CONTEXT ?? "")) return `DOCKER_CONTEXT=${env.DOCKER_CONTEXT ?? ""}`;
  const client = await buildKitClient(env);
  if (client === undefined) return undefined;
  const { context, address } = await selectedEndpoint(client, env);
  return context === "default" ? undefined : `the docker context ${context} (${shownAddress(address)})`;
}

/** An environment that does not name `host`, which is kiln's own engine, nor an empty DOCKER_HOST. */
export function withoutHost(env: NodeJS.ProcessEnv, host: string): NodeJS.ProcessEnv {
  if (env.DOCKER_HOST !== host && env.DOCKER_HOST !== "") return env;
  const rest = { ...env };
  delete rest.DOCKER_HOST;
  return rest;
}

/** Why no client on PATH can build, although an engine answers one of them or one is Podman's: packages would not mend it. */
async function unfitClientRefusal(env: NodeJS.ProcessEnv): Promise<Refusal | undefined> {
  for (const client of await clientCandidates(env)) {
    if (await isPodman(client, env)) return PODMAN_REFUSAL;
    if ((await engineVersion(client, env)) === undefined) continue;
    return {
      reason: "the docker client on this machine cannot build with BuildKit",
      mend: "install its buildx plugin: apt-get install -y docker-buildx-plugin (Docker's packages) or docker-buildx (Debian's)",
    };
  }
  return undefined;
}

/** A client with BuildKit and the engine beside it, from Debian's packages where they are missing. */
async function installedClient(env: NodeJS.ProcessEnv, progress: Progress): Promise<string> {
  const missing: string[] = [];
  if ((await findExecutable("dockerd", env)) === undefined) missing.push("docker.io", "ca-certificates");
  if ((await findExecutable("iptables", env)) === undefined) missing.push("iptables");
  if (missing.length > 0) await installPackages(missing, "a Docker engine", progress);
  const client = await buildKitClient(env);
  if (client !== undefined) return client;
  // From 23 on the client has BuildKit in a package of its own.
  await installPackages(["docker-buildx"], "BuildKit", progress);
  const withBuildx = await buildKitClient(env);
  if (withBuildx !== undefined) return withBuildx;
  throw new KilnError("unreachable", "the installed docker client cannot build with BuildKit", {
    mend: "install Docker from https://docs.docker.com/engine/install",
  });
}
