import path from "node:path";
import { formatReference, parseReference, type ImageReference } from "../registry/image-reference.ts";
import { restoreDirectory } from "./directory-store.ts";
import type { FilledStore } from "./fill-store.ts";
import { MANIFEST_FILE } from "./manifest.ts";
import { restoreStore, type RestoreOptions } from "./registry-store.ts";
import { isFile } from "./source-files.ts";

/** What a store is filled from: an image in a registry, or a cache directory on this machine. */
export type StoreSource =
  | { readonly kind: "image"; readonly image: ImageReference }
  | { readonly kind: "directory"; readonly directory: string };

/** What a text names: a cache directory where there is one of that path, an image otherwise. Throws where it is neither. */
export async function parseStoreSource(text: string): Promise<StoreSource> {
  if (await isFile(path.join(text, MANIFEST_FILE))) return { kind: "directory", directory: path.resolve(text) };
  return { kind: "image", image: parseReference(text) };
}

/** Fills a store from each of these in turn, and says what it got. */
export async function restoreFrom(
  sources: readonly StoreSource[],
  options: Omit<RestoreOptions, "image">,
): Promise<readonly FilledStore[]> {
  const filled: FilledStore[] = [];
  for (const source of sources) {
    const name = source.kind === "image" ? formatReference(source.image) : source.directory;
    const got =
      source.kind === "image"
        ? await restoreStore({ ...options, image: source.image })
        : await restoreDirectory({ ...options, directory: source.directory });
    if (got === undefined) continue;
    const { entries, modules } = got;
    options.progress.note(`from ${name}: ${entries} actions and ${modules} modules that the store did not have`);
    filled.push(got);
  }
  return filled;
}
