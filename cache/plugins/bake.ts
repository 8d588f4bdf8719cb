import path from "node:path";
import { silent, type Progress } from "../../progress.ts";
import type { RegistryClient } from "../../registry/client.ts";
import type { PluginMode } from "../../settings/image.ts";
import type { Places } from "../../toolchain/places.ts";
import type { BuildContract } from "../contract.ts";
import { readGraph } from "../graph.ts";
import { withStore } from "../local-store.ts";
import { pushPluginLayers } from "./layers.ts";
import { PLUGIN_LOCK, pluginRecipe, readLock, requireLocked, type LockedPlugin, type PluginLock } from "./lock.ts";
import { PluginStore } from "./store.ts";
import { BAKED_PLUGINS_LABEL, pluginLabel, PLUGINS_LABEL, readNeededPlugins, type NeededPlugin } from "./plugin.ts";
import type { Program } from "../programs.ts";
import type { PushedLayer } from "../push-layers.ts";

export interface NeedOptions {
  readonly source: string;
  readonly programs: readonly Program[];
  readonly contract: BuildContract;
  readonly goRoot: string;
  /** Where Go keeps modules that it has to fetch for reading what programs import. */
  readonly store: string;
  readonly progress: Progress;
}

/**
 * What a bake does about plugins: known before anything is compiled, so that a plugin nobody locked ends it at once.
 */
export interface PluginBake {
  readonly mode: PluginMode;
  readonly lock: PluginLock;
  /** Such as `linux-amd64`. */
  readonly platform: string;
  /** What of it decides the image, besides the programs. */
  readonly recipe: readonly string[];
}

/**
 * The layers of plugins that go below the caches: they change with an SDK's version only, the caches with any program.
 */
export interface PluginLayers {
  readonly plugins: readonly LockedPlugin[];
  readonly layers: readonly PushedLayer[];
  readonly labels: Readonly<Record<string, string>>;
}

/** Reads what a bake for `platform` (`linux/amd64`) has to do about plugins. */
export async function readPluginBake(places: Places, mode: PluginMode, platform: string): Promise<PluginBake> {
  const lock = await readLock(path.join(places.project, PLUGIN_LOCK));
  const name = platform.replace("/", "-");
  return { mode, lock, platform: name, recipe: pluginRecipe(mode, lock, name) };
}

/**
 * The plugins that programs use. Asks Go what they import, which fetches modules that the store lacks: nobody else has the
 * store meanwhile.
 */
export async function listNeededPlugins(
  options: NeedOptions & { readonly graphProgress?: Progress },
): Promise<readonly NeededPlugin[]> {
  const { source, programs, contract, goRoot, store, progress, graphProgress = progress } = options;
  const goModCache = path.join(store, "go-mod");
  const mounts = { contract, goRoot, goModCache, goBuildCache: path.join(store, "go-build") };
  return withStore(store, progress, async () => {
    const graph = await readGraph(mounts, source, programs, graphProgress);
    return readNeededPlugins(graph, programs, goModCache, source);
  });
}

/** Pushes a layer for each plugin that the programs use; none in the modes that bake none. */
export async function pushPlugins(
  bake: PluginBake,
  options: NeedOptions & {
    readonly places: Places;
    readonly client: RegistryClient;
    readonly repository: string;
    readonly scratch: string;
    readonly anew?: boolean;
  },
): Promise<PluginLayers> {
  const { mode, lock, platform } = bake;
  if (mode !== "layer") return { plugins: [], layers: [], labels: { [PLUGINS_LABEL]: mode } };
  options.progress.step("writing and pushing the plugins that programs use");
  // Planning reads the same graph again in a moment, and then says what it does.
  const needed = await listNeededPlugins({ ...options, graphProgress: silent });
  const plugins = requireLocked(needed, lock, platform, PLUGIN_LOCK);
  const store = new PluginStore({ ...options, platform });
  const layers = await pushPluginLayers({ ...options, store, plugins, architecture: options.contract.goarch });
  const labels = { [PLUGINS_LABEL]: mode, [BAKED_PLUGINS_LABEL]: plugins.map(pluginLabel).join(",") };
  return { plugins, layers, labels };
}
