import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { KilnError } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import { readBlobFile, type RegistryClient } from "../../registry/client.ts";
import type { Image } from "../../registry/compose.ts";
import { run } from "../../toolchain/process.ts";
import { concurrently } from "../concurrently.ts";
import { OBJECTS_PATH } from "../packed-layer.ts";
import { imageLayers, type ImageLayer } from "../image-layers.ts";
import { readCacheFiles } from "./layer-files.ts";

export interface UnpackOptions {
  readonly client: RegistryClient;
  /** With its registry. */
  readonly repository: string;
  readonly image: Image;
  /** An empty folder of the caller's own. */
  readonly into: string;
  /** The program that reads packs, as it runs on this machine. */
  readonly gocache: () => Promise<string>;
  readonly progress: Progress;
}

/** The caches of an image as plain files. */
export interface UnpackedImage {
  /** Folders below `into`. */
  readonly goBuild: string;
  readonly goMod: string;
  /** Whether they came out of packs, which have modules without their tests. */
  readonly packed: boolean;
  /** Whether entries came as plain files, whose content nobody has compared with their names yet. */
  readonly loose: boolean;
  /** Modules (`path@version`) that are there without an index among the entries. */
  readonly spare: readonly string[];
  readonly layers: number;
  /** Compressed bytes that came from the registry. */
  readonly bytes: number;
}

/** A registry far away gives one layer more slowly than several. */
const FETCHED_AT_ONCE = 3;

/** More than gzip makes of anything that kiln packs: Go's archives shrink to a ninth, action entries to a thirtieth. */
const MOST_RATIO = 200;
const SMALL_LAYER_BYTES = 64 * 1024 ** 2;

/**
 * Unpacks the caches of an image, layer by layer, each compared with its digest before it is read. Throws a usage error
 * where the image has none of kiln's cache layers.
 */
export async function unpackImage(options: UnpackOptions): Promise<UnpackedImage> {
  const { repository, into, progress } = options;
  const layers = imageLayers(options.image).filter(({ cacheLayer }) => cacheLayer !== undefined);
  if (layers.length === 0) {
    throw new KilnError("usage", `the image of ${repository} has no cache layer of kiln's`, {
      mend: "Name a warm image, as `npx kiln cache bake` prints it.",
    });
  }
  const [goBuild, goMod] = [path.join(into, "go-build"), path.join(into, "go-mod")];
  await Promise.all([goBuild, goMod].map((folder) => mkdir(folder, { recursive: true })));
  const total = bytesOf(layers);
  let [done, loose] = [0, false];
  const packs: string[] = [];
  const unpack = async (layer: ImageLayer, index: number) => {
    const found = await unpackLayer(options, layer, { goBuild, goMod, pack: path.join(into, `${index}.pack`) });
    packs.push(...found.packs);
    loose ||= found.loose;
    progress.update(`${layer.cacheLayer ?? ""}: from the registry`, (done += layer.size), total);
  };
  await concurrently([...layers.entries()], ([index, layer]) => unpack(layer, index), FETCHED_AT_ONCE);
  const spare = packs.length === 0 ? [] : await unpackPacks(await options.gocache(), packs, goBuild, goMod);
  await Promise.all(packs.map((pack) => rm(pack)));
  return { goBuild, goMod, packed: packs.length > 0, loose, spare, layers: layers.length, bytes: total };
}

function bytesOf(layers: readonly ImageLayer[]): number {
  return layers.reduce((sum, { size }) => sum + size, 0);
}

/** Sources are thousands of small files: a stream for each takes longer than all of them together otherwise. */
const SMALL_FILE_BYTES = 1024 ** 2;

/** Writes a file of an archive; `folders` are those that were made already. */
async function writeContent(
  file: string,
  bytes: number,
  content: AsyncIterable<Buffer>,
  folders: Set<string>,
): Promise<void> {
  const folder = path.dirname(file);
  if (!folders.has(folder)) await mkdir(folder, { recursive: true });
  folders.add(folder);
  if (bytes > SMALL_FILE_BYTES) {
    await pipeline(content, createWriteStream(file));
    return;
  }
  const parts: Buffer[] = [];
  for await (const part of content) parts.push(part);
  await writeFile(file, Buffer.concat(parts));
}

/** Where the files of a layer go. Archives beside a pack have to stand beside it for whoever reads the pack. */
function folderOf(part: "object" | "go-build" | "go-mod", { goBuild, goMod, pack }: LayerPlaces): string {
  if (part === "object") return path.join(path.dirname(pack), path.posix.basename(OBJECTS_PATH));
  return part === "go-mod" ? goMod : goBuild;
}

interface LayerPlaces {
  readonly goBuild: string;
  readonly goMod: string;
  readonly pack: string;
}

/** Fetches one layer and puts its files where they belong. */
async function unpackLayer(
  { client, repository }: UnpackOptions,
  layer: ImageLayer,
  places: LayerPlaces,
): Promise<{ readonly packs: readonly string[]; readonly loose: boolean }> {
  const blob = `${places.pack}.layer`;
  const folders = new Set<string>();
  let [packs, loose] = [0, false];
  try {
    await readBlobFile(client, repository, layer.digest, blob);
    await requireDigest(blob, layer);
    const limits = { bytes: SMALL_LAYER_BYTES + MOST_RATIO * layer.size, entries: 4_000_000 };
    await readCacheFiles(
      blob,
      layer.mediaType,
      async (entry, content) => {
        if (entry.part === "pack" && (packs += 1) > 1) throw new Error("it has more than one pack");
        loose ||= entry.part === "go-build";
        const file = entry.part === "pack" ? places.pack : path.join(folderOf(entry.part, places), entry.name);
        await writeContent(file, entry.bytes, content, folders);
      },
      limits,
    );
  } finally {
    await rm(blob, { force: true });
  }
  return { packs: packs === 0 ? [] : [places.pack], loose };
}

async function requireDigest(file: string, { digest, cacheLayer }: ImageLayer): Promise<void> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  const found = `sha256:${hash.digest("hex")}`;
  if (found === digest) return;
  throw new KilnError(
    "difference",
    `the layer ${cacheLayer ?? ""} is ${found}, and the image's manifest says ${digest}`,
    {
      mend: "Run the command again; if it stays so, the registry gives out something else than was pushed.",
    },
  );
}

/** What `gocache show` prints, as far as it is read here. */
interface ShownPack {
  readonly modules: readonly { readonly name: string; readonly indexed: boolean }[];
}

/** Unpacks packs, content checked, and returns the modules that they have no index of. */
async function unpackPacks(
  gocache: string,
  packs: readonly string[],
  goBuild: string,
  goMod: string,
): Promise<readonly string[]> {
  await run(gocache, ["unpack", "--go-build", goBuild, "--go-mod", goMod, ...packs], { env: {} });
  const spare: string[] = [];
  for (const pack of packs) {
    const { modules } = JSON.parse((await run(gocache, ["show", pack], { env: {} })).stdout) as ShownPack;
    spare.push(...modules.filter(({ indexed }) => !indexed).map(({ name }) => name));
  }
  return spare;
}
