import type { BuildContract } from "../../cache/contract.ts";
import { restoreStore } from "../../cache/registry-store.ts";
import type { Progress } from "../../progress.ts";
import { parseReference } from "../../registry/image-reference.ts";
import { readyGocache } from "../../toolchain/gocache-program.ts";
import { places } from "../../toolchain/places.ts";
import { ownPlatform } from "../../toolchain/platforms.ts";
import type { Invocation } from "../command.ts";
import { optional } from "../options.ts";
import { size } from "../printer.ts";
import { registryClient } from "./selection.ts";

/** The option by which a store is filled from an image before anything is compiled. */
export const FROM = { from: { type: "string" } } as const;

export const FROM_HELP = {
  from: "a warm image whose layers fill the store first; where it does not exist yet, the store stays as it is",
} as const;

/** Fills a store from the image that `--from` names; does nothing without it. */
export async function restoreFrom(
  values: Invocation["values"],
  store: string,
  options: { readonly contract: BuildContract; readonly goRoot: string; readonly progress: Progress },
): Promise<void> {
  const from = optional(values, "from");
  if (from === undefined) return;
  const { contract, goRoot, progress } = options;
  const goarch = ownPlatform().replace(/^.*\//, "");
  const restored = await restoreStore({
    ...{ client: await registryClient(progress), image: parseReference(from), store, contract, progress },
    gocache: () => readyGocache({ places: places(), goRoot, goarch, progress }),
  });
  if (restored === undefined) return;
  const { bytes, entries, modules } = restored;
  progress.note(`${size(bytes)} from ${from}: ${entries} actions and ${modules} modules that the store did not have`);
}
