import { createReadStream } from "node:fs";
import path from "node:path";
import { createZstdCompress } from "node:zlib";
import { pipeline } from "node:stream/promises";
import type { Progress } from "../../progress.ts";
import { throwIfInterrupted } from "../../toolchain/process.ts";
import { moduleFiles } from "../closure.ts";
import { concurrently } from "../concurrently.ts";
import { partition, type CacheLayer } from "../layers.ts";
import type { CacheManifest } from "../manifest.ts";
import { packageName } from "./package-name.ts";
import type { PackageSize } from "./size-tree.ts";

/** What stands for a Go module where something else than packages takes room. */
export const PROGRAMS = "finished programs";
const NOTES = "indexes and notes";
const SOURCES = "(source files)";

/** Something in a layer, and the files that it is. */
interface Item extends Pick<PackageSize, "provider" | "goModule" | "name"> {
  readonly files: readonly string[];
}

/** The size of everything that a cache directory's layers hold, on disk and, by itself, compressed. Reads all of it. */
export async function readCacheSizes(
  directory: string,
  manifest: CacheManifest,
  progress: Progress,
): Promise<readonly PackageSize[]> {
  const items = cacheItems(manifest);
  const sizes: PackageSize[] = [];
  await concurrently(items, async ({ provider, goModule, name, files }) => {
    throwIfInterrupted();
    sizes.push({ provider, goModule, name, ...(await measure(files.map((file) => path.join(directory, file)))) });
    progress.update(`measured ${name}`, sizes.length, items.length);
  });
  return sizes.sort((a, b) => (sizeKey(a) < sizeKey(b) ? -1 : 1));
}

function sizeKey({ provider, goModule, name }: PackageSize): string {
  return `${provider}\n${goModule}\n${name}`;
}

/** What the layers of a cache hold, by what it is, with file names relative to the cache directory. */
function cacheItems(manifest: CacheManifest): readonly Item[] {
  const modules = new Set(Object.values(manifest.closures).flatMap(({ goMod }) => goMod));
  const trees = new Map([...modules].map((module) => [moduleFiles(module).tree, module]));
  const programs = new Map(Object.entries(manifest.programs).map(([directory, { output }]) => [output, directory]));
  return partition(manifest).flatMap((layer) => layerItems(layer, manifest, { modules, trees, programs }));
}

interface Names {
  readonly modules: ReadonlySet<string>;
  readonly trees: ReadonlyMap<string, string>;
  readonly programs: ReadonlyMap<string, string>;
}

function layerItems(
  layer: CacheLayer,
  { objects }: CacheManifest,
  { modules, trees, programs }: Names,
): readonly Item[] {
  const provider = layer.name;
  const items: Item[] = [];
  const notes: string[] = [];
  for (const entry of layer.goBuild) {
    const files = [`go-build/${entry}`];
    const [key, program] = [objects[entry], programs.get(entry)];
    if (key !== undefined) items.push({ provider, ...packageName(key, modules), files });
    else if (program !== undefined) items.push({ provider, goModule: PROGRAMS, name: program, files });
    else notes.push(...files);
  }
  if (notes.length > 0) items.push({ provider, goModule: NOTES, name: NOTES, files: notes });
  const bySource = Map.groupBy(layer.sources, (file) => file.slice(0, file.indexOf("/", file.indexOf("@"))));
  for (const [tree, files] of bySource) {
    const names = files.map((file) => `go-mod/${file}`);
    items.push({ provider, goModule: trees.get(tree) ?? tree, name: SOURCES, files: names });
  }
  for (const { file } of layer.binaries) items.push({ provider, goModule: PROGRAMS, name: file, files: [file] });
  return items;
}

/** The bytes of files, and of one zstd stream of them all. */
async function measure(files: readonly string[]): Promise<{ readonly bytes: number; readonly compressed: number }> {
  let [bytes, compressed] = [0, 0];
  await pipeline(
    async function* () {
      for (const file of files) {
        for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
          bytes += chunk.length;
          yield chunk;
        }
      }
    },
    createZstdCompress(),
    async (chunks) => {
      for await (const chunk of chunks as AsyncIterable<Buffer>) compressed += chunk.length;
    },
  );
  return { bytes, compressed };
}
