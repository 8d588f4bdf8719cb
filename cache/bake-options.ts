import type { Progress } from "../progress.ts";
import type { RegistryClient } from "../registry/client.ts";
import type { PluginMode } from "../settings/image.ts";
import type { BaseImage } from "../toolchain/base-image.ts";
import type { Engine } from "../toolchain/docker-engine.ts";
import type { Places } from "../toolchain/places.ts";
import type { ImageTools } from "./base.ts";
import type { BuildContract } from "./contract.ts";
import type { ProgramDelivery } from "./program-delivery.ts";
import type { Reuse } from "./reuse.ts";
import type { StoreLayout } from "./store-layout.ts";
import type { StoreSource } from "./store-source.ts";
import type { Verification } from "./verification.ts";

export interface BakeOptions {
  readonly places: Places;
  readonly engine: Engine;
  readonly client: RegistryClient;
  /** GOROOT of the Go that compiles here; the one that goes into the image may be another platform's. */
  readonly goRoot: string;
  readonly tools: ImageTools;
  readonly source: string;
  readonly pattern: string;
  /** Only these providers' programs; all by default. */
  readonly providers?: readonly string[];
  readonly allowFailed: readonly string[];
  readonly contract: BuildContract;
  /** What becomes of Pulumi's plugins; without it nothing is baked of them. */
  readonly plugins?: PluginMode;
  /** How the image holds its caches, and whether it has the programs as caches or as binaries. */
  readonly layout: StoreLayout;
  readonly delivery: ProgramDelivery;
  /** The persistent GOMODCACHE and GOCACHE that packages are compiled in; `store` of the work folder by default. */
  readonly store?: string | undefined;
  /**
   * What the store is filled from before anything is compiled. Asked for only once something has to be: where an image of the same
   * inputs is there, the shards of its release may be gone.
   */
  readonly from: () => Promise<readonly StoreSource[]>;
  /** Names the base image for the key; `base` makes it when it is needed. */
  readonly baseReference: string;
  readonly base: () => Promise<BaseImage>;
  /** What may be taken from the repository by a tag; without it all that is there, and with it no layer: those are written anew. */
  readonly reuse?: Reuse | undefined;
  /** Where the warm image, its layers and its base are pushed. */
  readonly repository: string;
  readonly platform: string;
  /** Whether the engine runs that platform's programs under emulation: the record says so. */
  readonly emulated?: boolean;
  readonly progress: Progress;
}

/** A layer of a warm image: bytes as they travel, and of the files inside where it was written in this run. */
export interface BakedLayer {
  readonly name: string;
  readonly digest: string;
  readonly size: number;
  readonly contentBytes?: number;
  /** How many of those are finished programs, packed where the layer is. */
  readonly programBytes?: number;
}

export interface Bake {
  /** `repository@sha256:…` of the warm image. */
  readonly warmImage: string;
  /** Whether an image of the same inputs was there already, so that nothing was done. */
  readonly reused: boolean;
  readonly layers: readonly BakedLayer[];
  readonly verification?: Verification;
  /** Of programs that were not built again, the image in which they built with the same layers: digests by directory. */
  readonly before?: Readonly<Record<string, string>>;
  /**
   * Wall seconds of each phase. `layers` is the writing of archives and packs, `push` what sending them took besides.
   */
  readonly seconds: Readonly<Record<string, number>>;
}
