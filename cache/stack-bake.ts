import { arch } from "node:process";
import path from "node:path";
import { KilnError } from "../errors.ts";
import type { Progress } from "../progress.ts";
import type { RegistryClient } from "../registry/client.ts";
import { parseReference, registryHost } from "../registry/image-reference.ts";
import { isLoopback, warmRepository } from "../registry/repository-names.ts";
import { readStackSettings, writeWarmImage } from "../release/stack-file.ts";
import type { Settings } from "../settings.ts";
import { readyBaseImage } from "../toolchain/base-image.ts";
import { readyEngine, type Engine } from "../toolchain/docker-engine.ts";
import { startRegistry } from "../toolchain/loopback-registry.ts";
import { toolVersions } from "../toolchain/pins.ts";
import type { Places } from "../toolchain/places.ts";
import { resolveTools } from "../toolchain/resolve.ts";
import { bake, type Bake } from "./bake.ts";
import type { ImageTools } from "./base.ts";
import { buildContract } from "./contract.ts";

/** A machine on which images can be baked: tools, an engine that answers, a registry client. */
export interface Bakery {
  readonly tools: ImageTools;
  readonly engine: Engine;
  readonly client: RegistryClient;
}

/** Makes this machine ready to bake. Installs what is missing. */
export async function readyBakery(places: Places, progress: Progress): Promise<Bakery> {
  const tools = await resolveTools(["go", "pulumi", "opentofu", "regctl"], { places, progress });
  return { tools, engine: await readyEngine({ places, progress }), client: { regctl: tools.regctl.path } };
}

/** The same for a stack, whose registry is started where it is a loopback one. */
export async function readyStackBakery(places: Places, settings: Settings, progress: Progress): Promise<Bakery> {
  const bakery = await readyBakery(places, progress);
  const host = registryHost(settings.registry);
  if (isLoopback(host)) await startRegistry({ places, address: host, progress });
  return bakery;
}

export interface BakeTarget {
  readonly source: string;
  readonly pattern: string;
  readonly repository: string;
  readonly platform: string;
  readonly baseReference: string;
  readonly allowFailed: readonly string[];
}

/** What a stack's file says is to be baked for it. */
export function bakeTarget(places: Places, settings: Settings, allowFailed: readonly string[]): BakeTarget {
  return {
    source: path.resolve(places.project, settings.source.path),
    pattern: settings.source.modules,
    repository: warmRepository(settings.registry),
    platform: settings.image.platform,
    baseReference: settings.image.base,
    allowFailed,
  };
}

/** Bakes for a stack and writes the digest into its file, which is left alone when the bake fails. */
export async function bakeForStack(
  places: Places,
  stack: string,
  allowFailed: readonly string[],
  progress: Progress,
): Promise<Bake> {
  const settings = await readStackSettings(places.project, stack);
  const target = bakeTarget(places, settings, allowFailed);
  const baked = await bakeTo(places, target, await readyStackBakery(places, settings, progress), progress);
  await writeWarmImage(places.project, stack, baked.warmImage);
  return baked;
}

/** Bakes to a repository without touching any stack. */
export async function bakeTo(places: Places, target: BakeTarget, bakery: Bakery, progress: Progress): Promise<Bake> {
  const { engine } = bakery;
  parseReference(target.repository);
  const goarch = target.platform.split("/")[1] ?? "";
  if (target.platform !== `linux/${GOARCH_OF_NODE[arch] ?? ""}`) {
    throw new KilnError(
      "usage",
      `this machine cannot bake ${target.platform}: it runs ${GOARCH_OF_NODE[arch] ?? arch}`,
      {
        mend: "Set kiln:image.platform to this machine's platform, or bake on a machine of that one.",
      },
    );
  }
  return bake({
    ...target,
    ...bakery,
    places,
    contract: buildContract(toolVersions, goarch),
    base: () => readyBaseImage({ engine, reference: target.baseReference, progress, places }),
    progress,
  });
}

const GOARCH_OF_NODE: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };
