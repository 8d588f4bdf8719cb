import path from "node:path";
import { extract, type Header } from "tar-stream";
import { KilnError, messageOf } from "../../errors.ts";
import { readLayerInto } from "../../registry/layer-content.ts";
import { throwIfInterrupted } from "../../toolchain/process.ts";
import { IMAGE_PATHS } from "../contract.ts";
import { OBJECTS_PATH, PACKS_PATH } from "../packed-layer.ts";

/** A file of a cache layer that belongs to the caches. */
export type CacheFile =
  | { readonly part: "pack"; readonly bytes: number }
  /** An archive beside the packs; `name` is the digest by which its content is called. */
  | { readonly part: "object"; readonly name: string; readonly bytes: number }
  /** Below GOCACHE or GOMODCACHE; `name` is in plain form and leads nowhere outside. */
  | { readonly part: "go-build" | "go-mod"; readonly name: string; readonly bytes: number };

export interface LayerLimits {
  /** Bytes of all files, unpacked. */
  readonly bytes: number;
  readonly entries: number;
}

/** The largest archive of a Go package has about 1 GB, a pack of all providers a few. */
const LIMITS: LayerLimits = { bytes: 64 * 1024 ** 3, entries: 4_000_000 };

/**
 * Reads those files of a layer that belong to the caches, in the archive's own order; `visit` reads each one's content.
 * Throws a KilnError for a link or device in the place of a file of the caches, for a name that leads out of them, and for
 * what is too large: whoever may push to a registry decides what a layer is.
 */
export async function readCacheFiles(
  file: string,
  mediaType: string,
  visit: (entry: CacheFile, content: AsyncIterable<Buffer>) => Promise<void>,
  limits: LayerLimits = LIMITS,
): Promise<void> {
  const archive = extract();
  const reading = readLayerInto(file, mediaType, archive);
  // Awaited below; until then a failure must not count as nobody's.
  reading.catch(() => undefined);
  let [bytes, entries] = [0, 0];
  try {
    for await (const content of archive) {
      throwIfInterrupted();
      bytes += content.header.size;
      entries += 1;
      if (bytes > limits.bytes) throw new Error(`it unpacks to more than ${limits.bytes} bytes`);
      if (entries > limits.entries) throw new Error(`it has more than ${limits.entries} entries`);
      const entry = cacheFileOf(content.header);
      if (entry !== undefined) await visit(entry, content as AsyncIterable<Buffer>);
      content.resume();
    }
    await reading;
  } catch (error) {
    archive.destroy();
    await reading.catch(() => undefined);
    if (error instanceof KilnError) throw error;
    throw new KilnError("failed", `a layer cannot be unpacked: ${messageOf(error)}`, {
      mend: "It is no layer that kiln wrote: find out who may push to that repository.",
      cause: error,
    });
  }
}

const OBJECT = /^[0-9a-f]{64}$/;
const ENTRY = /^([0-9a-f]{2})\/\1[0-9a-f]{62}-[ad]$/;

/** What an archive's entry is to the caches; undefined for folders and for what is none of theirs. */
export function cacheFileOf(header: Pick<Header, "name" | "type" | "size">): CacheFile | undefined {
  const name = header.name.replace(/^(?:\.?\/)+/, "");
  const places = [
    ["object", OBJECTS_PATH],
    ["pack", PACKS_PATH],
    ["go-build", IMAGE_PATHS.goBuildCache],
    ["go-mod", IMAGE_PATHS.goModCache],
  ] as const;
  // What leads out of a folder on its way is none of kiln's, wherever it ends.
  const [part, folder] = places.find(([, place]) => `/${path.posix.normalize(name)}`.startsWith(`${place}/`)) ?? [];
  if (part === undefined || header.type === "directory") return undefined;
  if (header.type !== "file") throw new Error(`${name} is a ${header.type}`);
  const inside = name.slice(folder.length);
  if (path.posix.normalize(name) !== name || inside === "" || inside.includes("\0") || inside.endsWith("/")) {
    throw new Error(`${JSON.stringify(header.name)} is no plain name`);
  }
  const bytes = header.size;
  if (part === "pack") return { part, bytes };
  if (part === "object" && !OBJECT.test(inside)) throw new Error(`${name} is no archive beside a pack`);
  if (part === "go-build" && !ENTRY.test(inside)) throw new Error(`${name} is no entry of a build cache`);
  return { part, name: inside, bytes };
}
