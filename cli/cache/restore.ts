import { parseStoreSource, restoreFrom } from "../../cache/store-source.ts";
import type { BuildContract } from "../../cache/contract.ts";
import type { Progress } from "../../progress.ts";
import { readyGocache } from "../../toolchain/gocache-program.ts";
import { places } from "../../toolchain/places.ts";
import { ownPlatform } from "../../toolchain/platforms.ts";
import type { Invocation } from "../command.ts";
import { repeated } from "../options.ts";
import { registryClient } from "./selection.ts";

/** The option by which a store is filled before anything is compiled. */
export const FROM = { from: { type: "string", multiple: true } } as const;

export const FROM_HELP = {
  from:
    "a warm image whose layers fill the store first, or a cache directory (may be repeated); where an image does not exist " +
    "yet, the store stays as it is",
} as const;

/** Fills a store from all that `--from` names; does nothing without it. */
export async function fillFrom(
  values: Invocation["values"],
  store: string,
  options: { readonly contract: BuildContract; readonly goRoot: string; readonly progress: Progress },
): Promise<void> {
  const named = repeated(values, "from");
  if (named.length === 0) return;
  const { contract, goRoot, progress } = options;
  const goarch = ownPlatform().replace(/^.*\//, "");
  await restoreFrom(await Promise.all(named.map(parseStoreSource)), {
    ...{ client: await registryClient(progress), store, contract, progress },
    gocache: () => readyGocache({ places: places(), goRoot, goarch, progress }),
  });
}
