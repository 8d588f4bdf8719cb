import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { KilnError } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import { interruption, throwIfInterrupted } from "../../toolchain/process.ts";
import { moduleFiles } from "../closure.ts";
import type { GoMounts } from "./command.ts";
import { unreachedFault, unreachedModules, withoutUserInfo, type UnreachedModule } from "./fault.ts";
import { listPackages, type ListOptions, type PackageListing } from "./list.ts";

/** How long to wait before each further attempt at what could not be fetched. */
const RETRY_MS = [1_000, 4_000];

/** A download of which nothing comes for this long is broken off: Go itself waits for ever. */
const STALL_MS = 60_000;

export interface FetchOptions extends Omit<ListOptions, "signal"> {
  readonly progress: Progress;
  readonly retryMs?: readonly number[];
  readonly stallMs?: number;
}

/** A listing, and what of it could still not be fetched after the last attempt. */
export interface FetchedListing extends PackageListing {
  readonly unreached: readonly UnreachedModule[];
}

/**
 * Lists packages as `listPackages` does, fetching what GOMODCACHE lacks: tries again where a module cannot be had, and breaks
 * off downloads that stand still. What remains unreached is named in the result, not thrown.
 */
export async function fetchPackages(
  mounts: GoMounts,
  names: readonly string[],
  options: FetchOptions,
): Promise<FetchedListing> {
  const { progress, retryMs = RETRY_MS, stallMs = STALL_MS, ...rest } = options;
  for (let attempt = 0; ; attempt += 1) {
    const listing = await listWatched(mounts, names, rest, progress, stallMs);
    const wait = retryMs[attempt];
    const [first] = listing.unreached;
    if (first === undefined || wait === undefined) return listing;
    progress.note(`${first.module}: ${first.reason}; trying again`);
    await delay(wait, undefined, { signal: interruption.signal }).catch(() => undefined);
    throwIfInterrupted();
  }
}

/** Throws where modules could not be fetched, naming the first with what the network said. */
export function requireReached(unreached: readonly UnreachedModule[]): void {
  const [first] = unreached;
  if (first === undefined) return;
  const more = unreached.length > 1 ? ` (and ${unreached.length - 1} more)` : "";
  throw new KilnError("unreachable", `${unreachedFault(first)}${more}`, {
    mend: "Check the network and GOPROXY; for a private module set GOPRIVATE and give Go a login (NETRC or ~/.netrc, or SSH for Git). Then run it again: what was fetched is kept.",
  });
}

async function listWatched(
  mounts: GoMounts,
  names: readonly string[],
  options: ListOptions,
  progress: Progress,
  stallMs: number,
): Promise<FetchedListing> {
  const watch = watchDownloads(mounts.goModCache, stallMs);
  try {
    const listing = await listPackages(mounts, names, {
      ...options,
      signal: AbortSignal.any([interruption.signal, watch.stalled]),
      onStderrLine: (line) => {
        const module = watch.seen(line);
        if (module !== undefined) progress.update(`fetching ${module}`, watch.count(), 0);
        options.onStderrLine?.(line);
      },
    });
    return { ...listing, unreached: unreachedModules(listing) };
  } catch (error) {
    if (!watch.stalled.aborted || interruption.signal.aborted) throw error;
    const reason = `nothing came for ${stallMs / 1000} s`;
    const unreached = watch.open().map((module) => ({ module, reason }));
    return { code: 1, stderr: reason, packages: [], unreached };
  } finally {
    watch.close();
  }
}

/** Follows the downloads that Go announces on standard error; `stalled` fires when some are open and none grows. */
function watchDownloads(goModCache: string, stallMs: number) {
  const announced = new Set<string>();
  const asked = new Set<string>();
  let answers = 0;
  const stall = new AbortController();
  let [open, seenBytes, since]: [readonly string[], number, number] = [[], -1, Date.now()];
  const check = async () => {
    const partial = await partialArchives(goModCache, announced);
    const bytes =
      announced.size + answers + [...partial.values()].reduce((sum, size) => sum + size, await clonedBytes(goModCache));
    if (stall.signal.aborted) return;
    open = [...new Set([...partial.keys(), ...[...asked].map(moduleOfRequest)])];
    if (open.length === 0 || bytes !== seenBytes) [seenBytes, since] = [bytes, Date.now()];
    else if (Date.now() - since > stallMs) stall.abort();
  };
  let checking: Promise<void> | undefined;
  const timer = setInterval(
    () => {
      checking ??= check().finally(() => (checking = undefined));
    },
    Math.min(1_000, stallMs / 2),
  );
  return {
    stalled: stall.signal,
    /** The modules on which it waited when it was last looked at. */
    open: () => open,
    count: () => announced.size,
    seen(line: string): string | undefined {
      const [, url, answer] = /^# get (\S+?)(: .*)?$/.exec(line) ?? [];
      if (url !== undefined && answer === undefined) asked.add(url);
      if (url !== undefined && answer !== undefined && asked.delete(url)) answers += 1;
      const [, name, version] = /^go: downloading (\S+) (\S+)/.exec(line) ?? [];
      if (name === undefined || version === undefined) return undefined;
      announced.add(`${name}@${version}`);
      return name;
    },
    close() {
      clearInterval(timer);
    },
  };
}

/** `path@version` of what a request to a module proxy asks for; the address itself of any other. */
function moduleOfRequest(url: string): string {
  const [, escaped = "", version = ""] = /^[a-z]+:\/\/[^/]+\/(.+)\/@v\/(.+)\.(?:info|mod|zip)$/.exec(url) ?? [];
  if (escaped === "") return withoutUserInfo(url);
  return `${escaped}@${version}`.replace(/!([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/**
 * Bytes of the unfinished archive of each module that is being fetched. Go begins one before it asks anybody, and removes it
 * when it is refused: a module that cannot be had does not count as one that stands still.
 */
async function partialArchives(goModCache: string, modules: Iterable<string>): Promise<ReadonlyMap<string, number>> {
  const partial = new Map<string, number>();
  for (const module of modules) {
    const stem = path.join(goModCache, moduleFiles(module).download);
    if ((await sizeOf(`${stem}.ziphash`)) !== undefined) continue;
    for (const name of await readdir(path.dirname(stem)).catch(() => [])) {
      if (!name.startsWith(`${path.basename(stem)}.zip`) || !name.endsWith(".tmp")) continue;
      partial.set(module, (partial.get(module) ?? 0) + ((await sizeOf(path.join(path.dirname(stem), name))) ?? 0));
    }
  }
  return partial;
}

/** Bytes of what Git has fetched of repositories: an archive is made only once all of it is there. */
async function clonedBytes(goModCache: string): Promise<number> {
  const clones = path.join(goModCache, "cache/vcs");
  let bytes = 0;
  for (const clone of await readdir(clones).catch(() => [])) {
    const packs = path.join(clones, clone, "objects/pack");
    for (const name of await readdir(packs).catch(() => [])) bytes += (await sizeOf(path.join(packs, name))) ?? 0;
  }
  return bytes;
}

async function sizeOf(file: string): Promise<number | undefined> {
  return (await stat(file).catch(() => undefined))?.size;
}
