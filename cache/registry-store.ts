import { access, cp, mkdir, mkdtemp, readdir, rename, rm, utimes } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { readDigest, type RegistryClient } from "../registry/client.ts";
import { readImage } from "../registry/compose.ts";
import { formatReference, type ImageReference } from "../registry/image-reference.ts";
import { moduleFiles, readEntries } from "./closure.ts";
import { concurrently } from "./concurrently.ts";
import { CONTRACT_LABEL, contractDifferences, parseContractLabel, type BuildContract } from "./contract.ts";
import { withStore } from "./local-store.ts";
import { readCheckedEntries } from "./recompile/entries.ts";
import { notePartialModules } from "./partial-modules.ts";
import { unpackImage, type UnpackedImage } from "./registry-store/unpack-image.ts";

export interface RestoreOptions {
  readonly client: RegistryClient;
  readonly image: ImageReference;
  /** The folder with go-build/ and go-mod/ to fill; may be empty, or older than the image. */
  readonly store: string;
  /** What is to be baked: an image of another contract has nothing that its builds would find. */
  readonly contract: BuildContract;
  /** Gives the program that reads packs, as it runs on this machine; called where the image has packs. */
  readonly gocache: () => Promise<string>;
  /** Whether modules are taken as packs have them, without their tests: only for who keeps nothing of them but packs. */
  readonly partialModules?: boolean;
  readonly progress: Progress;
}

/** What a store got from an image. */
export interface RestoredStore {
  /** Compressed bytes that came from the registry. */
  readonly bytes: number;
  /** Actions and source trees that the store did not have. */
  readonly entries: number;
  readonly modules: number;
}

/**
 * Fills a store from the layers of an image in a registry, so that a machine without a volume compiles only what changed.
 * What the store has stays. Every output is compared with its name. Returns undefined, with a note, where the image does
 * not exist yet or was made for another contract.
 */
export async function restoreStore(options: RestoreOptions): Promise<RestoredStore | undefined> {
  const { client, image: reference, store, contract, progress } = options;
  const name = formatReference(reference);
  progress.step(`filling the store from ${name}`);
  if ((await readDigest(client, reference)) === undefined) {
    progress.note(`${name} does not exist yet: this bake starts cold`);
    return undefined;
  }
  const image = await readImage(client, reference, `${contract.goos}/${contract.goarch}`);
  const label = image.config.config?.Labels?.[CONTRACT_LABEL];
  if (label === undefined) {
    throw new KilnError("usage", `${name} is no warm image: it has no label ${CONTRACT_LABEL}`, {
      mend: "Name an image that `npx kiln cache bake` made.",
    });
  }
  const differences = contractDifferences(parseContractLabel(name, label), contract);
  if (differences.length > 0) {
    progress.note(`${name} was warmed differently, this bake starts cold: ${differences.join("; ")}`);
    return undefined;
  }
  return withStore(store, progress, async () => {
    // On the disk of the modules, whose volume may be all that can be written to.
    const folder = path.join(store, "go-mod", "cache");
    await mkdir(folder, { recursive: true });
    await removeLeftovers(folder);
    const into = await mkdtemp(path.join(folder, SCRATCH));
    try {
      const unpacked = await unpackImage({ ...options, repository: reference.repository, image, into });
      if (unpacked.loose) await requireSoundEntries(unpacked.goBuild, name);
      const found = await readEntries(unpacked.goBuild);
      const entries = await moveEntries(unpacked.goBuild, path.join(store, "go-build"), found);
      // An image of binaries has empty folders of modules, which Go would take for fetched.
      const none = found.length === 0 || (unpacked.packed && options.partialModules !== true);
      const modules = await moveModules(store, unpacked, none ? "all" : unpacked.spare);
      return { bytes: unpacked.bytes, entries, modules };
    } finally {
      await rm(into, { recursive: true, force: true });
    }
  });
}

/** What an image is unpacked into: inside the store, and gone before that is used. */
const SCRATCH = "kiln-restore-";

async function removeLeftovers(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.startsWith(SCRATCH));
  await Promise.all(names.map((name) => rm(path.join(folder, name), { recursive: true, force: true })));
}

/** Throws where an entry of an unpacked image is not what its name says; packs are compared while they are unpacked. */
async function requireSoundEntries(folder: string, image: string): Promise<void> {
  const { damaged } = await readCheckedEntries(folder);
  const [first] = damaged;
  if (first === undefined) return;
  const more = damaged.length > 1 ? `, and ${damaged.length - 1} more are wrong` : "";
  throw new KilnError("difference", `${image}: ${first.name}: ${first.why}${more}`, {
    mend: "Do not use that image: `npx kiln cache verify --recompile all` says what else is wrong with it.",
  });
}

/**
 * Moves the entries that a store lacks, outputs before the actions that name them, as young as if it had just made them: Go
 * trims them there once nobody uses them. Returns how many actions there were.
 */
async function moveEntries(from: string, to: string, names: readonly string[]): Promise<number> {
  let moved = 0;
  const move = async (name: string) => {
    const target = path.join(to, name);
    if (await exists(target)) return;
    await mkdir(path.dirname(target), { recursive: true });
    const now = new Date();
    await utimes(path.join(from, name), now, now);
    await moveTo(path.join(from, name), target);
    if (name.endsWith("-a")) moved += 1;
  };
  for (const type of ["-d", "-a"])
    await concurrently(
      names.filter((name) => name.endsWith(type)),
      move,
    );
  return moved;
}

/**
 * Moves the modules that a store lacks: their source trees, each whole or not at all, and what Go knows of them. Packs have
 * modules without their tests, which is enough for as long as Go has their indexes. Of those without one (`unindexed`) only
 * version data is taken: Go fetches them where it needs them.
 */
async function moveModules(
  store: string,
  { goMod: from, packed }: UnpackedImage,
  unindexed: readonly string[] | "all",
): Promise<number> {
  const to = path.join(store, "go-mod");
  const left = unindexed === "all" ? "all" : new Set(unindexed.map((module) => moduleFiles(module).tree));
  const lacking: string[] = [];
  for (const tree of left === "all" ? [] : await treesBelow(from)) {
    if (left !== "all" && !left.has(tree) && !(await exists(path.join(to, tree)))) lacking.push(tree);
  }
  if (packed && lacking.length > 0) await notePartialModules(store, lacking);
  await concurrently(lacking, async (tree) => {
    await mkdir(path.dirname(path.join(to, tree)), { recursive: true });
    await moveTo(path.join(from, tree), path.join(to, tree));
  });
  const download = path.join("cache", "download");
  const files = await readdir(path.join(from, download), { recursive: true, withFileTypes: true }).catch(() => []);
  await concurrently(
    files
      .filter((file) => file.isFile() && /\.(?:info|mod|ziphash)$/.test(file.name))
      .map((file) => path.relative(from, path.join(file.parentPath, file.name))),
    async (name) => {
      const target = path.join(to, name);
      if (await exists(target)) return;
      await mkdir(path.dirname(target), { recursive: true });
      await moveTo(path.join(from, name), target);
    },
  );
  return lacking.length;
}

/** The source trees below a GOMODCACHE: folders whose name has a version. */
async function treesBelow(goModCache: string, folder = ""): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of await readdir(path.join(goModCache, folder), { withFileTypes: true })) {
    const name = path.posix.join(folder, entry.name);
    if (!entry.isDirectory() || name === "cache") continue;
    if (entry.name.includes("@")) found.push(name);
    else found.push(...(await treesBelow(goModCache, name)));
  }
  return found;
}

/** Moves a file or folder, also to another disk: volumes may be mounted at the caches of a store. */
async function moveTo(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EXDEV") throw error;
    const partial = `${to}.partial`;
    await cp(from, partial, { recursive: true, preserveTimestamps: true });
    await rename(partial, to);
  }
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
