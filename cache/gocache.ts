import type { Progress } from "../progress.ts";
import { gocacheKey, readyGocache } from "../toolchain/gocache-program.ts";
import type { Places } from "../toolchain/places.ts";
import { ownPlatform } from "../toolchain/platforms.ts";
import type { PackServer } from "./base.ts";
import type { BuildContract } from "./contract.ts";
import type { Packer } from "./packed-layer.ts";

/** The program that writes packs here and serves them in images (images/programs/gocache). */
export interface Gocache {
  /** Of its sources and the Go that it is built with. */
  readonly digest: string;
  /** Its build for this machine. */
  readonly packer: () => Promise<Packer>;
  /** Its build for the image. */
  readonly server: PackServer;
}

/** The gocache of this checkout, for images of a contract; built when it is first asked for. */
export async function readGocache(options: {
  readonly places: Places;
  readonly goRoot: string;
  readonly contract: Pick<BuildContract, "goVersion" | "goarch">;
  readonly progress: Progress;
}): Promise<Gocache> {
  const { contract } = options;
  const digest = await gocacheKey(contract.goVersion);
  const ready = (goarch: string) => readyGocache({ ...options, goarch });
  return {
    digest,
    packer: async () => ({ program: await ready(ownPlatform().replace(/^.*\//, "")), digest }),
    server: { digest, ready: () => ready(contract.goarch) },
  };
}
