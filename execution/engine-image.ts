import { KilnError } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { parseReference } from "../registry/image-reference.ts";
import { productNames, type ScannedImage } from "../release/scan/scan.ts";
import { engineEnvironment, type Engine } from "../toolchain/docker-engine.ts";
import { dockerCall } from "./docker-call.ts";
import { hasImage } from "./docker.ts";
import { identifyImage } from "./image-identity.ts";

/** Writing a large image to a file takes longer than other calls. */
const SAVE_MS = 1_800_000;

/**
 * An image of the engine, to be scanned before anybody else can have it; `product` is what a VEX document may call it, where its
 * name here is another one. Throws where the engine does not have it: what would be pulled is public already.
 */
export async function engineImage(
  engine: Engine,
  name: string,
  { product, progress }: { readonly product?: string; readonly progress: Progress },
): Promise<ScannedImage> {
  if (!(await hasImage(engine, name))) {
    throw new KilnError("usage", `the engine has no image ${name}`, {
      mend: "Build it first, or name one by --image.",
    });
  }
  const docker = { docker: engine.docker, env: engineEnvironment(engine) };
  const { id } = await identifyImage(docker, name, { progress });
  return {
    ...{ name, digest: id, products: productNames(product ?? parseReference(name).repository) },
    save: async (archive) => {
      await dockerCall(docker, ["image", "save", "--output", archive, id], { withinMs: SAVE_MS });
    },
  };
}
