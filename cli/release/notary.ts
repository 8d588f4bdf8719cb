import type { Progress } from "../../progress.ts";
import { cosignNotary, type Notary } from "../../release/supply/cosign.ts";
import type { Places } from "../../toolchain/places.ts";
import { resolveTool } from "../../toolchain/resolve.ts";

/** The notary of this machine: cosign is looked for, or got, when the first signature is to be made or verified. */
export function notaryHere(places: Places, progress: Progress): Notary {
  return cosignNotary(async () => (await resolveTool("cosign", { places, progress })).path, places.project);
}
