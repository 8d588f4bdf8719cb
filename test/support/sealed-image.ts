import { silent } from "../../progress.ts";
import type { PinnedImage } from "../../registry/image-reference.ts";
import { goModule } from "../../release/supply/package.ts";
import { LOCAL_BUILDER } from "../../release/supply/provenance.ts";
import { seal, type Sealed, type SealOptions } from "../../release/supply/seal.ts";
import type { SignaturePolicy } from "../../settings/signatures.ts";
import type { MemoryNotary } from "./memory-notary.ts";
import type { MemoryRegistry } from "./memory-registry.ts";

export const KEY: SignaturePolicy = { kind: "key", key: "cosign.pub" };

/** Seals an image in memory as `kiln release seal` does, by default with the key of `KEY`. */
export function sealInMemory(
  registry: MemoryRegistry,
  notary: MemoryNotary,
  image: PinnedImage,
  options: Partial<SealOptions> = {},
): Promise<readonly Sealed[]> {
  return seal(
    {
      ...{ client: registry.client, notary, policy: KEY, stack: "dev", progress: silent },
      signer: { kind: "key", key: KEY.kind === "key" ? KEY.key : "" },
      facts: { builder: { id: LOCAL_BUILDER }, version: "0.1.0", parameters: { stack: "dev" }, materials: [] },
      readPackages: () => Promise.resolve([goModule("github.com/acme/tool@v1.2.3", "var/cache/go-mod")]),
      ...options,
    },
    image,
  );
}
