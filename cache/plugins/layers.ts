import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import type { Progress } from "../../progress.ts";
import type { RegistryClient } from "../../registry/client.ts";
import { pushLayer } from "../../registry/push-layer.ts";
import { writeLayerArchive, type LayerFile } from "../layer-archive.ts";
import { tagName } from "../tag-name.ts";
import { readPluginArchive, type PluginLimits } from "./archive.ts";
import type { LockedPlugin } from "./lock.ts";
import { pluginExecutable, requireExecutable, type PluginStore } from "./store.ts";
import { pluginFolder, PLUGIN_PATH, type Plugin } from "./plugin.ts";
import { readKnownLayer, type PushedLayer } from "../push-layers.ts";

/** Part of every layer key: raise it when the same archive is to become other bytes. */
const LAYER_FORMAT = "kiln-plugin-layer-1";

/** Files of a plugin keep one plain old date: nothing looks at it. */
const MTIME = new Date(Date.UTC(1980, 0, 1));

/** The name of a plugin's layer, such as `plugin-aws-7.12.0`. */
export function pluginLayerName({ name, version }: Plugin): string {
  return `plugin-${name}-${version}`;
}

/**
 * The tag under which a repository has a plugin's layer. Its key is the archive, so that one in the registry needs no
 * server.
 */
export function pluginLayerTag(plugin: LockedPlugin): string {
  const key = createHash("sha256").update(`${LAYER_FORMAT}\n${plugin.archive}\n${plugin.locked.sha256}`).digest("hex");
  return `layer-${tagName(pluginLayerName(plugin))}-${key.slice(0, 32)}`;
}

/**
 * Writes a plugin's layer: its archive's files below Pulumi's plugin folder, owner root, fixed times. The folder of all
 * plugins is open to every user, sticky, so that any uid adds others and none removes this one. The same archive gives
 * the same bytes.
 */
export async function writePluginLayer(
  plugin: Plugin,
  archive: string,
  file: string,
  limits?: PluginLimits,
): Promise<LayerFile> {
  await requireExecutable(plugin, archive, limits);
  return writeLayerArchive(file, async (layer) => {
    const folders = new Set<string>();
    let bytes = 0;
    const addFolders = (name: string) => {
      const parts = name.split("/").slice(0, -1);
      for (const folder of parts.map((_, index) => parts.slice(0, index + 1).join("/"))) {
        if (folders.has(folder)) continue;
        folders.add(folder);
        const mode = `/${folder}` === PLUGIN_PATH ? 0o1777 : 0o755;
        layer.entry({ name: `${folder}/`, type: "directory", mode, mtime: MTIME });
      }
    };
    await readPluginArchive(
      archive,
      async (entry, content) => {
        const name = path.posix.join(PLUGIN_PATH.slice(1), pluginFolder(plugin), entry.name);
        addFolders(name);
        if (entry.link !== undefined) {
          layer.entry({ name, type: "symlink", linkname: entry.link, mtime: MTIME });
          return;
        }
        const mode = entry.executable || entry.name === pluginExecutable(plugin) ? 0o755 : 0o644;
        await pipeline(content, layer.entry({ name, size: entry.bytes, mode, mtime: MTIME }));
        bytes += entry.bytes;
      },
      limits,
    );
    return bytes;
  });
}

/** Pushes the layers of plugins that `repository` lacks, or all of them, and returns all, in order. Only those are fetched. */
export async function pushPluginLayers(options: {
  readonly client: RegistryClient;
  readonly repository: string;
  readonly store: PluginStore;
  readonly plugins: readonly LockedPlugin[];
  /** As Go spells it. */
  readonly architecture: string;
  /** Where a layer's archive stands until it is pushed. */
  readonly scratch: string;
  /** Push each, also one whose tag is there: what stands under it may be somebody else's. */
  readonly anew?: boolean;
  readonly progress: Progress;
}): Promise<readonly PushedLayer[]> {
  const { client, repository, store, plugins, architecture, scratch, anew = false, progress } = options;
  const tags = plugins.map(pluginLayerTag);
  const known = await Promise.all(
    tags.map(async (tag) => (anew ? undefined : readKnownLayer(client, repository, tag))),
  );
  const lacking = plugins.filter((_, index) => known[index] === undefined);
  const archives = new Map((await store.readyArchives(lacking)).map((file, index) => [lacking[index], file]));
  const pushed: PushedLayer[] = [];
  for (const [index, plugin] of plugins.entries()) {
    const [name, tag, there] = [pluginLayerName(plugin), tags[index] ?? "", known[index]];
    progress.update(there === undefined ? name : `${name}: unchanged`, index, plugins.length);
    if (there !== undefined) {
      pushed.push({ name, ...there });
      continue;
    }
    const file = path.join(scratch, `${tag}.tar.gz`);
    try {
      const { digest, size, contentBytes, ...rest } = await writePluginLayer(plugin, archives.get(plugin) ?? "", file);
      const place = { repository, tag, architecture, createdBy: `kiln cache layers: ${name}` };
      const image = await pushLayer(client, { ...rest, digest, size }, place);
      pushed.push({ name, image, digest, size, contentBytes });
    } finally {
      await rm(file, { force: true });
    }
  }
  return pushed;
}
