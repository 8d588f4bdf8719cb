import path from "node:path";
import { listNeededPlugins } from "../../cache/plugins/bake.ts";
import { lockedPlugin, PLUGIN_LOCK, readLock, writeLock, type PluginLock } from "../../cache/plugins/lock.ts";
import { PluginStore } from "../../cache/plugins/store.ts";
import { pluginLabel, type NeededPlugin } from "../../cache/plugins/plugin.ts";
import { readPrograms } from "../../cache/programs.ts";
import { EXIT } from "../../errors.ts";
import { places } from "../../toolchain/places.ts";
import type { Command, Outcome } from "../command.ts";
import { noArguments, optional, repeated, required } from "../options.ts";
import { size, table } from "../printer.ts";
import {
  goTool,
  ownContract,
  readySource,
  SELECTION,
  SELECTION_HELP,
  STORE_HELP,
  storeOf,
  TARGET,
  TARGET_HELP,
} from "./selection.ts";

/** `kiln cache plugins`: what programs use, and what of it is locked. Exit code 3 where something is not. */
export const pluginsCommand: Command = {
  name: "cache plugins",
  summary: "List the provider plugins that programs use and their locked checksums; --update locks what is missing.",
  usage: "--source DIR --modules PATTERN [--update] [--from DIR]",
  options: {
    ...SELECTION,
    ...TARGET,
    lock: { type: "string" },
    update: { type: "boolean" },
    from: { type: "string" },
    store: { type: "string" },
  },
  help: {
    ...SELECTION_HELP,
    ...TARGET_HELP,
    platform: "linux/amd64 or linux/arm64 (default: this machine's): whose archives are locked",
    lock: `the file of checksums (default: ${PLUGIN_LOCK} of this project, which bakes read)`,
    update: "download what is not locked yet, and lock it by the checksum that it has",
    from: "a folder with archives (pulumi-resource-NAME-vVERSION-PLATFORM.tar.gz) for this machine's bakes, asked before the network",
    store: STORE_HELP,
  },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const here = places();
    const source = await readySource(values, progress);
    const file = path.resolve(optional(values, "lock") ?? path.join(here.project, PLUGIN_LOCK));
    const contract = ownContract(values);
    const platform = `${contract.goos}-${contract.goarch}`;
    const known = await readLock(file);
    const { programs } = await readPrograms(source, required(values, "modules"), repeated(values, "provider"));
    const { root } = await goTool(progress);
    progress.step(`reading what ${programs.length} programs import`);
    const reading = { source, programs, contract, goRoot: root, store: storeOf(values), progress };
    const plugins = await listNeededPlugins(reading);

    const from = optional(values, "from");
    const store = new PluginStore({
      places: here,
      platform,
      from: from === undefined ? undefined : path.resolve(from),
      progress,
    });
    let lock = known;
    if (values.update === true) {
      progress.step("locking plugins");
      lock = await store.lock(plugins, known);
      if (Object.keys(lock.archives).length > Object.keys(known.archives).length) await writeLock(file, lock);
    }
    if (from !== undefined) {
      progress.step("taking archives of locked plugins");
      const locked = plugins.map((plugin) => lockedPlugin(plugin, lock, platform));
      await store.readyArchives(locked.filter((plugin) => plugin !== undefined));
    }
    return report(plugins, lock, platform, file);
  },
};

function report(plugins: readonly NeededPlugin[], lock: PluginLock, platform: string, file: string): Outcome {
  const rows = plugins.map((plugin) => {
    const locked = lockedPlugin(plugin, lock, platform)?.locked;
    return { ...plugin, platform, ...(locked === undefined ? {} : { locked }) };
  });
  const open = rows.filter(({ locked }) => locked === undefined).map(pluginLabel);
  const lines = rows.map(({ name, version, providers, locked }) => [
    name,
    version,
    locked === undefined ? "not locked" : size(locked.bytes),
    locked === undefined
      ? ""
      : locked.confirmedBy === undefined
        ? "trusted on first use"
        : "confirmed by its publisher",
    `for ${providers.join(", ")}`,
  ]);
  const end =
    open.length === 0
      ? `${file} locks all ${rows.length} of ${platform}`
      : `${file} lacks ${open.join(", ")}: run this with --update, look at what it adds, and commit the file`;
  return {
    json: { lock: file, platform, plugins: rows },
    text: lines.length === 0 ? "the programs use no provider plugin" : `${table(lines)}\n${end}`,
    ...(open.length > 0 ? { exitCode: EXIT.difference } : {}),
  };
}
