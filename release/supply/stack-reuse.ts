import type { Reuse } from "../../cache/reuse.ts";
import type { Progress } from "../../progress.ts";
import type { RegistryClient } from "../../registry/client.ts";
import type { Settings } from "../../settings.ts";
import type { Places } from "../../toolchain/places.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import { cosignNotary } from "./cosign.ts";
import { signerHere } from "./signer.ts";
import { vouchedReuse } from "./vouched-reuse.ts";

/** What may be taken from the registry for a stack; nothing for one that takes images without signatures, and so all. */
export function stackReuse(
  { signatures: policy }: Pick<Settings, "signatures">,
  {
    places,
    client,
    progress,
  }: { readonly places: Places; readonly client: RegistryClient; readonly progress: Progress },
): Reuse | undefined {
  if (policy === undefined) return undefined;
  const notary = cosignNotary(async () => (await resolveTool("cosign", { places, progress })).path, places.project);
  return vouchedReuse({
    ...{ client, notary, policy, progress },
    signer: () => signerHere(undefined, process.env),
  });
}
