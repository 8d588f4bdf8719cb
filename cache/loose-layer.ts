import path from "node:path";
import { writeLayerArchive, type LayerFile } from "./layer-archive.ts";
import { addEntries, buildEntry, isCacheFolder, moduleEntry, plainEntries } from "./layer-entries.ts";
import type { CacheLayer } from "./layers.ts";
import { readModuleTree } from "./store.ts";

/**
 * Writes a layer of plain files as a gzipped tar archive, the same bytes for the same content: Go itself reads the
 * entries, and modules are whole. Folders of both caches are open to every user, but not those inside a module.
 */
export async function writeLooseLayer(cache: string, layer: CacheLayer, file: string): Promise<LayerFile> {
  const goMod = path.join(cache, "go-mod");
  const trees = await Promise.all(layer.goMod.map((module) => readModuleTree(goMod, module)));
  const entries = [
    ...layer.goBuild.map((name) => buildEntry(cache, name)),
    ...trees.flat().map((name) => moduleEntry(cache, name)),
    ...(await plainEntries(cache, layer)),
  ];
  return writeLayerArchive(file, (archive) => addEntries(archive, entries, isOpen));
}

/** Whether users add to a folder: the caches' own folders, but not what lies inside one version of a module. */
function isOpen(folder: string): boolean {
  return isCacheFolder(folder) && (folder.includes("/cache/download/") || !folder.includes("@"));
}
