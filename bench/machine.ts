import path from "node:path";
import { buildContract, type BuildContract } from "../cache/contract.ts";
import type { Progress } from "../progress.ts";
import type { RegistryClient } from "../registry/client.ts";
import { readyBaseImage } from "../toolchain/base-image.ts";
import { canInstallPackages, installPackages } from "../toolchain/debian.ts";
import { readyEngine, type Engine } from "../toolchain/docker-engine.ts";
import { findExecutable } from "../toolchain/executables.ts";
import { throwIfRefused } from "../toolchain/finding.ts";
import { requireSoundMachine } from "../toolchain/machine.ts";
import { namespaceRefusal } from "../toolchain/namespaces.ts";
import { DEFAULT_BASE_IMAGE, toolVersions } from "../toolchain/pins.ts";
import type { Places } from "../toolchain/places.ts";
import { ownPlatform } from "../toolchain/platforms.ts";
import { resolveTools } from "../toolchain/resolve.ts";
import { startRegistry } from "./registry.ts";

/** What all methods share: one Go, one engine, one registry, one base image. */
export interface Machine {
  readonly goRoot: string;
  readonly contract: BuildContract;
  readonly engine: Engine;
  readonly client: RegistryClient;
  readonly registry: string;
  readonly baseImage: string;
}

/** Makes the machine ready, from the network where something is missing: afterwards nothing is fetched any more. */
export async function readyMachine(places: Places, work: string, progress: Progress): Promise<Machine> {
  await requireSoundMachine(places);
  throwIfRefused(await namespaceRefusal());
  const tools = await resolveTools(["go", "pulumi", "opentofu", "regctl", "registry"], { places, progress });
  const engine = await readyEngine({ places, progress });
  const platform = ownPlatform();
  const goarch = platform.replace("linux/", "");
  const base = await readyBaseImage({ engine, reference: DEFAULT_BASE_IMAGE, platform, progress, places });
  await readyCompiler(progress);
  return {
    goRoot: tools.go.root,
    contract: buildContract(toolVersions, goarch),
    engine,
    client: { regctl: tools.regctl.path },
    registry: await startRegistry(tools.registry.path, path.join(work, "registry")),
    baseImage: base.reference,
  };
}

/** The runners of the published method have a C compiler: without one here, it would not be that method. */
async function readyCompiler(progress: Progress): Promise<void> {
  if ((await findExecutable("gcc", process.env)) !== undefined) return;
  if (await canInstallPackages()) await installPackages(["gcc", "libc6-dev"], "the published method", progress);
  else progress.note("there is no C compiler here: the published method compiles as the corrected one does");
}
