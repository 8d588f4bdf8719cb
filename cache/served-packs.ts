import { KilnError } from "../errors.ts";
import type { ImageConfig } from "../registry/client.ts";
import { STORE_LABEL } from "./contract.ts";

/** What a packed layer, and a base that serves packs, say of themselves. */
export const PACKED_LABELS = { [STORE_LABEL]: "packed" } as const;

/** Throws where layers hold packs and the base has nothing that serves them: every build would be cold. */
export function requireServedPacks(base: ImageConfig, layers: readonly ImageConfig[]): void {
  if (isPacked(base) || !layers.some(isPacked)) return;
  throw new KilnError("usage", "the layers are packed, and the base has no program that serves packs", {
    mend: "Name a base of the stage packed-base (images/iac-runner), or write the layers with --layout loose.",
  });
}

function isPacked({ config }: ImageConfig): boolean {
  return config?.Labels?.[STORE_LABEL] === PACKED_LABELS[STORE_LABEL];
}
