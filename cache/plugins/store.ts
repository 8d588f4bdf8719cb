import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { copyFile, mkdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import { Downloader, shownUrl, type Downloaded, type DownloadLimits } from "../../toolchain/download.ts";
import { withLock } from "../../toolchain/lock.ts";
import type { Places } from "../../toolchain/places.ts";
import { readPluginArchive, type PluginLimits } from "./archive.ts";
import { lockedPlugin, type LockedArchive, type LockedPlugin, type PluginLock } from "./lock.ts";
import { archiveUrls, checksumsUrl, MIRRORS_VARIABLE, parseMirrors, type Mirror } from "./sources.ts";
import { archiveName, pluginLabel, type Plugin } from "./plugin.ts";

export interface PluginStoreOptions {
  readonly places: Places;
  /** Such as `linux-amd64`. */
  readonly platform: string;
  /** A folder with archives under their release names, asked before the network. */
  readonly from?: string | undefined;
  readonly progress: Progress;
  readonly env?: NodeJS.ProcessEnv;
  readonly downloadLimits?: DownloadLimits;
  readonly archiveLimits?: PluginLimits;
}

/** An archive that is here, and how it came. */
interface Obtained extends Downloaded {
  readonly file: string;
  readonly url: string;
}

/** The archives of plugins on this machine: got once, checked whenever they are used. */
export class PluginStore {
  readonly #options: PluginStoreOptions;
  readonly #folder: string;
  readonly #mirrors: readonly Mirror[];
  readonly #downloader: Downloader;

  constructor(options: PluginStoreOptions) {
    this.#options = options;
    this.#folder = path.join(options.places.work, "plugins");
    this.#mirrors = parseMirrors((options.env ?? process.env)[MIRRORS_VARIABLE]);
    this.#downloader = new Downloader(options.downloadLimits);
  }

  /**
   * The archive files of locked plugins, in their order, fetched where they are not here. Throws a KilnError where one
   * has another checksum than its lock, and one that names every plugin that cannot be had.
   */
  async readyArchives(plugins: readonly LockedPlugin[]): Promise<readonly string[]> {
    const files = plugins.map(({ archive }) => path.join(this.#folder, archive));
    await this.#each(plugins, async (plugin, index) => {
      const file = files[index] ?? "";
      if (await isArchive(file, plugin.locked)) return undefined;
      const obtained = await this.#obtain(plugin);
      if (typeof obtained === "string") return obtained;
      await this.#requireChecksum(plugin, obtained);
      await rename(obtained.file, file);
      return undefined;
    });
    return files;
  }

  /**
   * A lock that has the plugins as well: each is downloaded, looked into, and compared with the publisher's checksums
   * where they can be had. What is locked stays as it is. Throws as `readyArchives` does, and then nothing is locked.
   */
  async lock(plugins: readonly Plugin[], lock: PluginLock): Promise<PluginLock> {
    const archives: Record<string, LockedArchive> = { ...lock.archives };
    const { platform, progress } = this.#options;
    const open = plugins.filter((plugin) => lockedPlugin(plugin, lock, platform) === undefined);
    await this.#each(open, async (plugin) => {
      const obtained = await this.#obtain(plugin);
      if (typeof obtained === "string") return obtained;
      const { file, sha256, bytes, url } = obtained;
      const name = archiveName(plugin, platform);
      const confirmedBy = await this.#confirm(plugin, name, obtained);
      await this.#look(plugin, obtained);
      if (confirmedBy === undefined) {
        progress.note(`${name}: no checksum of its publisher can be had, so this first download is trusted: ${sha256}`);
      }
      archives[name] = { sha256, bytes, url, ...(confirmedBy === undefined ? {} : { confirmedBy }) };
      await rename(file, path.join(this.#folder, name));
      return undefined;
    });
    return { version: 1, archives };
  }

  /** Works on all plugins one after the other, then throws one error that names those that could not be had. */
  async #each<P extends Plugin>(
    plugins: readonly P[],
    work: (plugin: P, index: number) => Promise<string | undefined>,
  ): Promise<void> {
    if (plugins.length === 0) return;
    await mkdir(this.#folder, { recursive: true });
    const missing: string[] = [];
    await withLock(`${this.#folder}.lock`, this.#options.progress, "another run that gets plugins", async () => {
      for (const [index, plugin] of plugins.entries()) {
        const reason = await work(plugin, index);
        if (reason !== undefined) missing.push(`  ${pluginLabel(plugin)}: ${reason}`);
      }
    });
    if (missing.length === 0) return;
    const what = missing.length === 1 ? "1 plugin" : `${missing.length} plugins`;
    throw new KilnError("unreachable", `cannot get ${what} for ${this.#options.platform}:\n${missing.join("\n")}`, {
      mend: `Let this machine reach those servers, name a mirror in ${MIRRORS_VARIABLE}, take archives from a folder (\`npx kiln cache plugins --from DIR …\`), or set kiln:image.plugins to none or volume.`,
    });
  }

  /** Gets an archive beside its place, from the folder or the first server that has it, or says why none has. */
  async #obtain(plugin: Plugin): Promise<Obtained | string> {
    const { from, platform, progress } = this.#options;
    const name = archiveName(plugin, platform);
    const file = path.join(this.#folder, `${name}.partial`);
    await rm(file, { force: true });
    if (from !== undefined && (await stat(path.join(from, name)).catch(() => undefined)) !== undefined) {
      await copyFile(path.join(from, name), file);
      return { file, ...(await readChecksum(file)), url: name };
    }
    const reasons: string[] = from === undefined ? [] : [`${from} has no ${name}`];
    for (const url of archiveUrls(plugin, platform, this.#mirrors)) {
      const downloaded = await this.#downloader.download(url, file, progress);
      if (!("reason" in downloaded)) return { file, ...downloaded, url: shownUrl(url) };
      reasons.push(downloaded.reason);
    }
    return [...new Set(reasons)].join("; ");
  }

  async #requireChecksum(plugin: LockedPlugin, { file, sha256, url }: Obtained): Promise<void> {
    if (sha256 === plugin.locked.sha256) return;
    await rm(file, { force: true });
    throw new KilnError("failed", `${url}: the checksum is ${sha256}, locked is ${plugin.locked.sha256}`, {
      mend: `Do not use that file: find out who changed ${plugin.archive} (a mirror, a proxy, the publisher) before you touch the lock.`,
    });
  }

  /** The publisher's file of checksums if it says the same of an archive. Throws where it says another. */
  async #confirm(plugin: Plugin, name: string, { file, sha256, url }: Obtained): Promise<string | undefined> {
    const address = checksumsUrl(plugin, this.#mirrors);
    const text = address === undefined ? undefined : await this.#downloader.readText(address);
    const line = text?.split("\n").map((entry) => /^([0-9a-f]{64})\s+\*?(\S+)\s*$/i.exec(entry));
    const published = line?.find((entry) => entry?.[2] === name)?.[1]?.toLowerCase();
    if (published === undefined || published === sha256) return published === undefined ? undefined : address;
    await rm(file, { force: true });
    throw new KilnError("failed", `${url}: the checksum is ${sha256}, published is ${published} (${address ?? ""})`, {
      mend: "Do not use that file: find out who changed it (a mirror, a proxy, the publisher).",
    });
  }

  /** Throws unless an archive is one that can be baked, before anybody is told to trust it. */
  async #look(plugin: Plugin, { file }: Obtained): Promise<void> {
    try {
      await requireExecutable(plugin, file, this.#options.archiveLimits);
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    }
  }
}

/** The name of a plugin's program in its archive. */
export function pluginExecutable({ name }: Plugin): string {
  return `pulumi-resource-${name}`;
}

/**
 * Throws unless an archive is sound and has the plugin's program: one that a language host runs needs an installation
 * of its own.
 */
export async function requireExecutable(plugin: Plugin, file: string, limits?: PluginLimits): Promise<void> {
  let found = false as boolean;
  await readPluginArchive(
    file,
    (entry) => {
      found ||= entry.name === pluginExecutable(plugin) && entry.link === undefined;
      return Promise.resolve();
    },
    limits,
  );
  if (found) return;
  throw new KilnError("failed", `${archiveName(plugin, "…")} holds no program ${pluginExecutable(plugin)}`, {
    mend: "Pulumi installs such a plugin with its language's tools, which a bake cannot: set kiln:image.plugins to volume.",
  });
}

async function isArchive(file: string, locked: LockedArchive): Promise<boolean> {
  const size = (await stat(file).catch(() => undefined))?.size;
  return size === locked.bytes && (await readChecksum(file)).sha256 === locked.sha256;
}

async function readChecksum(file: string): Promise<Downloaded> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of createReadStream(file)) {
    hash.update(chunk as Buffer);
    bytes += (chunk as Buffer).length;
  }
  return { sha256: hash.digest("hex"), bytes };
}
