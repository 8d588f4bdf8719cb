import { mkdir, rename, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../../errors.ts";
import { readJson } from "../manifest.ts";
import { archiveName, pluginLabel, type Plugin } from "./plugin.ts";

/**
 * The lock of this project, relative to it. Like a go.sum it holds facts about releases, so that all stacks share it.
 */
export const PLUGIN_LOCK = "stacks/plugins.lock.json";

/** What is known of one archive of a plugin's release. */
export interface LockedArchive {
  readonly sha256: string;
  readonly bytes: number;
  /** Where it was downloaded when it was locked. It may be had elsewhere: the checksum decides. */
  readonly url: string;
  /** The publisher's file of checksums that says the same; without it, the first download was trusted. */
  readonly confirmedBy?: string;
}

/** `plugins.lock.json`: archives by their file names, which say plugin, version and platform. */
export interface PluginLock {
  readonly version: 1;
  readonly archives: Readonly<Record<string, LockedArchive>>;
}

/** A plugin with the archive that is to be baked. */
export interface LockedPlugin extends Plugin {
  readonly archive: string;
  readonly locked: LockedArchive;
}

/** What is wrong with a lock that was read from a file, or undefined. */
export function lockFault({ archives }: Partial<PluginLock>): string | undefined {
  if (typeof archives !== "object" || Array.isArray(archives)) return "it has no archives";
  for (const [name, archive] of Object.entries(archives as Readonly<Record<string, Partial<LockedArchive> | null>>)) {
    if (!/^pulumi-resource-[\w.+-]+\.tar\.gz$/.test(name)) return `"${name}" is no plugin's archive`;
    const { sha256, bytes, url } = archive ?? {};
    if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256)) return `${name} has no SHA-256`;
    if (!Number.isSafeInteger(bytes) || Number(bytes) <= 0) return `${name} has no size in bytes`;
    if (typeof url !== "string") return `${name} has no url`;
  }
  return undefined;
}

/** Reads a lock; a file that is not there locks nothing. Throws a usage error where it is no lock. */
export async function readLock(file: string): Promise<PluginLock> {
  if ((await stat(file).catch(() => undefined)) === undefined) return { version: 1, archives: {} };
  return readJson<PluginLock>(file, "a lock of plugins", "Restore it from git.", lockFault);
}

/** Writes a lock with its archives in order, whole or not at all. */
export async function writeLock(file: string, lock: PluginLock): Promise<void> {
  const archives = Object.fromEntries(Object.entries(lock.archives).sort(([a], [b]) => (a < b ? -1 : 1)));
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(`${file}.partial`, `${JSON.stringify({ version: 1, archives }, null, 2)}\n`);
  await rename(`${file}.partial`, file);
}

/** The archive that a lock has for a plugin and platform (`linux-amd64`). */
export function lockedPlugin<P extends Plugin>(
  plugin: P,
  lock: PluginLock,
  platform: string,
): (P & LockedPlugin) | undefined {
  const archive = archiveName(plugin, platform);
  const locked = lock.archives[archive];
  return locked === undefined ? undefined : { ...plugin, archive, locked };
}

/**
 * The archives of all plugins. Throws a usage error that names every plugin without one, and the command that locks
 * them.
 */
export function requireLocked(
  plugins: readonly Plugin[],
  lock: PluginLock,
  platform: string,
  file: string,
): readonly LockedPlugin[] {
  const found = plugins.map((plugin) => lockedPlugin(plugin, lock, platform));
  const missing = plugins.filter((_, index) => found[index] === undefined).map(pluginLabel);
  if (missing.length > 0) {
    throw new KilnError("usage", `${file} locks no ${platform} archive of ${missing.join(", ")}`, {
      mend: "Lock them with `npx kiln cache plugins --source DIR --modules PATTERN --update` and commit the file, or set kiln:image.plugins to none or volume.",
    });
  }
  return found.filter((plugin) => plugin !== undefined);
}

/** What decides, besides the programs, which plugins an image holds: for the key of a bake's inputs. */
export function pluginRecipe(mode: string, lock: PluginLock, platform: string): readonly string[] {
  if (mode !== "layer") return [`plugins: ${mode}`];
  const archives = Object.entries(lock.archives).filter(([name]) => name.endsWith(`-${platform}.tar.gz`));
  return ["plugins: layer", ...archives.map(([name, { sha256 }]) => `${name} ${sha256}`).sort()];
}
