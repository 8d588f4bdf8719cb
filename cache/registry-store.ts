import { KilnError } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { readDigest, type RegistryClient } from "../registry/client.ts";
import { readImage } from "../registry/compose.ts";
import { formatReference, type ImageReference } from "../registry/image-reference.ts";
import { readEntries } from "./closure.ts";
import { CONTRACT_LABEL, contractDifferences, parseContractLabel, type BuildContract } from "./contract.ts";
import { fillStore, type FilledStore } from "./fill-store.ts";
import { readCheckedEntries } from "./recompile/entries.ts";
import { unpackImage } from "./registry-store/unpack-image.ts";

export interface RestoreOptions {
  readonly client: RegistryClient;
  readonly image: ImageReference;
  /** The folder with go-build/ and go-mod/ to fill; may be empty, or older than the image. */
  readonly store: string;
  /** What is to be baked: an image of another contract has nothing that its builds would find. */
  readonly contract: BuildContract;
  /** Gives the program that reads packs, as it runs on this machine; called where the image has packs. */
  readonly gocache: () => Promise<string>;
  /** Whether modules are taken as packs have them, without their tests: only for who keeps nothing of them but packs. */
  readonly partialModules?: boolean;
  readonly progress: Progress;
}

/** What a store got from an image. */
export interface RestoredStore extends FilledStore {
  /** Compressed bytes that came from the registry. */
  readonly bytes: number;
}

/**
 * Fills a store from the layers of an image in a registry, so that a machine without a volume compiles only what changed.
 * What the store has stays. Every output is compared with its name. Returns undefined, with a note, where the image does
 * not exist yet or was made for another contract.
 */
export async function restoreStore(options: RestoreOptions): Promise<RestoredStore | undefined> {
  const { client, image: reference, store, contract, progress } = options;
  const name = formatReference(reference);
  progress.step(`filling the store from ${name}`);
  if ((await readDigest(client, reference)) === undefined) {
    progress.note(`${name} does not exist yet: this bake starts cold`);
    return undefined;
  }
  const image = await readImage(client, reference, `${contract.goos}/${contract.goarch}`);
  const label = image.config.config?.Labels?.[CONTRACT_LABEL];
  if (label === undefined) {
    throw new KilnError("usage", `${name} is no warm image: it has no label ${CONTRACT_LABEL}`, {
      mend: "Name an image that `npx kiln cache bake` made.",
    });
  }
  const differences = contractDifferences(parseContractLabel(name, label), contract);
  if (differences.length > 0) {
    progress.note(`${name} was warmed differently, this bake starts cold: ${differences.join("; ")}`);
    return undefined;
  }
  let bytes = 0;
  const filled = await fillStore(store, progress, async (into) => {
    const unpacked = await unpackImage({ ...options, repository: reference.repository, image, into });
    if (unpacked.loose) await requireSoundEntries(unpacked.goBuild, name);
    bytes = unpacked.bytes;
    // An image of binaries has empty folders of modules, which Go would take for fetched.
    const entries = await readEntries(unpacked.goBuild);
    const none = entries.length === 0 || (unpacked.packed && options.partialModules !== true);
    return { ...unpacked, entries, unindexed: none ? "all" : unpacked.spare };
  });
  return { bytes, ...filled };
}

/** Throws where an entry of plain files is not what its name says; packs are compared while they are unpacked. */
export async function requireSoundEntries(folder: string, source: string): Promise<void> {
  const { damaged } = await readCheckedEntries(folder);
  const [first] = damaged;
  if (first === undefined) return;
  const more = damaged.length > 1 ? `, and ${damaged.length - 1} more are wrong` : "";
  throw new KilnError("difference", `${source}: ${first.name}: ${first.why}${more}`, {
    mend: "Do not use it: `npx kiln cache verify --recompile all` says what else is wrong with it.",
  });
}
