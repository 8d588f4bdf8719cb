import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import type { Pack } from "tar-stream";
import { throwIfInterrupted } from "../toolchain/process.ts";
import { moduleFiles } from "./closure.ts";
import { IMAGE_PATHS } from "./contract.ts";
import { INPUTS_FOLDER, inputsLine } from "./explain/build-inputs.ts";
import type { CacheLayer } from "./layers.ts";
import { FAR_FUTURE_SECONDS, readModuleMetadata, readModuleTree, requireOwnFile } from "./store.ts";

/** Where the multi-call binaries of providers stand in an image, and the commands by which Pulumi finds them. */
const PROGRAMS_PATH = "/usr/local/lib/kiln/programs";
const COMMANDS_PATH = "/usr/local/bin";

/** Where an image says, a document a provider, which command runs the program of which directory. */
export const COMMANDS_FOLDER = "/usr/local/share/kiln/programs";

/** One file, link or folder of a layer. */
export interface LayerEntry {
  /** Its path in the image, without the first slash. */
  readonly name: string;
  readonly content: LayerContent;
  readonly executable?: true;
  /** Modification time in seconds since 1970, where it is not that of all others. */
  readonly seconds?: number;
}

export type LayerContent =
  { readonly root: string; readonly file: string } | { readonly text: string } | { readonly link: string } | "folder";

/** Module sources keep a plain old date; Go looks at no time there. */
const SOURCE_SECONDS = Date.UTC(1980, 0, 1) / 1000;

/** What every form of a layer has: version data of its modules, what its programs were built from, and binaries. */
export async function plainEntries(cache: string, layer: CacheLayer): Promise<readonly LayerEntry[]> {
  const modules = [...layer.goMod, ...layer.ghosts, ...layer.goModMetadata];
  const goMod = path.join(cache, "go-mod");
  const metadata = await Promise.all(modules.map((module) => readModuleMetadata(goMod, module)));
  const inputs = layer.inputs === undefined ? [] : [{ text: inputsLine(layer.name, layer.inputs) }];
  return [
    ...metadata.flat().map((name) => moduleEntry(cache, name)),
    ...inputs.map((content) => ({ name: inImage(INPUTS_FOLDER, `${layer.name}.json`), content })),
    ...binaryEntries(cache, layer),
    ...(await ghostEntries(cache, layer.ghosts)),
  ];
}

/** A file below go-mod/ at its place in the image. */
export function moduleEntry(cache: string, name: string): LayerEntry {
  return {
    name: inImage(IMAGE_PATHS.goModCache, name),
    content: { root: path.join(cache, "go-mod"), file: name },
  };
}

/** A file below go-build/ at its place in the image, with the date that Go neither trims nor touches. */
export function buildEntry(cache: string, name: string): LayerEntry {
  return {
    name: inImage(IMAGE_PATHS.goBuildCache, name),
    content: { root: path.join(cache, "go-build"), file: name },
    seconds: FAR_FUTURE_SECONDS,
  };
}

/**
 * Of modules without sources what Go and Pulumi ask for before a program runs: their folder, by which Go takes a module
 * for downloaded, their go.mod, and the files that name plugins.
 */
export async function ghostEntries(cache: string, modules: readonly string[]): Promise<readonly LayerEntry[]> {
  const goMod = path.join(cache, "go-mod");
  const entries = await Promise.all(
    modules.map(async (module) => {
      const { tree } = moduleFiles(module);
      const files = (await readModuleTree(goMod, module)).filter((name) => isPlain(path.posix.relative(tree, name)));
      const folder: LayerEntry = { name: inImage(IMAGE_PATHS.goModCache, tree), content: "folder" };
      return [folder, ...files.map((name) => moduleEntry(cache, name))];
    }),
  );
  return entries.flat();
}

/** Whether a file of a module, by its path inside, is one that an image has as a plain file whoever builds. */
export function isPlain(file: string): boolean {
  return file === "go.mod" || path.posix.basename(file) === "pulumi-plugin.json";
}

function binaryEntries(cache: string, { name, binaries }: CacheLayer): readonly LayerEntry[] {
  const named = Object.fromEntries(binaries.flatMap(({ names }) => Object.entries(names)).sort());
  const text = `${JSON.stringify(named, null, 1)}\n`;
  const unproven = binaries.flatMap(({ names, unproven = false }) => (unproven ? Object.values(names) : []));
  const documents = [
    ...(binaries.length === 0 ? [] : [{ name: inImage(COMMANDS_FOLDER, `${name}.json`), content: { text } }]),
    ...(unproven.length === 0
      ? []
      : [{ name: inImage(COMMANDS_FOLDER, `${name}.unproven`), content: { text: `${unproven.sort().join("\n")}\n` } }]),
  ];
  const files = binaries.flatMap(({ file, names }): readonly LayerEntry[] => {
    const program = path.posix.join(PROGRAMS_PATH, path.posix.basename(file));
    const commands = [...new Set(Object.values(names))];
    return [
      { name: inImage(program), content: { root: cache, file }, executable: true },
      ...commands.map((command) => ({ name: inImage(COMMANDS_PATH, command), content: { link: program } })),
    ];
  });
  return [...documents, ...files];
}

/** Whether a folder of a layer is one of the two caches, or inside one. */
export function isCacheFolder(folder: string): boolean {
  const caches = [IMAGE_PATHS.goBuildCache, IMAGE_PATHS.goModCache];
  return caches.some((cache) => `/${folder}/`.startsWith(`${cache}/`));
}

/** A path of an image as archives have it. */
export function inImage(...parts: readonly string[]): string {
  return path.posix.join(...parts).slice(1);
}

/**
 * Adds entries to a layer's archive, sorted by name, each after its folders, owner root, with fixed times. Returns the
 * bytes of their files. `isOpen` says of a folder whether every user may add to it: it is sticky then, so that none
 * removes what is there. `folders` are those that the layer has already: Docker takes none with a path twice.
 */
export async function addEntries(
  archive: Pack,
  entries: readonly LayerEntry[],
  isOpen: (folder: string) => boolean,
  folders = new Set<string>(),
): Promise<number> {
  const looked = new Set<string>();
  const mtime = new Date(SOURCE_SECONDS * 1000);
  let bytes = 0;
  const addFolder = (folder: string) => {
    if (folders.has(folder)) return;
    folders.add(folder);
    archive.entry({ name: `${folder}/`, type: "directory", mode: isOpen(folder) ? 0o1777 : 0o755, mtime });
  };
  for (const { name, content, executable = false, seconds } of sorted(entries)) {
    throwIfInterrupted();
    for (const folder of ancestors(name)) addFolder(folder);
    // The plain header's time field, as the library fills it, ends in 2038: what lies beyond goes into an extended one.
    const header = { name, mode: executable ? 0o755 : 0o644, mtime, ...(seconds === undefined ? {} : pax(seconds)) };
    if (content === "folder") {
      addFolder(name);
    } else if ("link" in content) {
      archive.entry({ ...header, type: "symlink", linkname: content.link });
    } else if ("text" in content) {
      archive.entry(header, content.text);
      bytes += Buffer.byteLength(content.text);
    } else {
      await requireOwnFile(content.root, content.file, looked);
      const file = path.join(content.root, content.file);
      const { size } = await stat(file);
      await pipeline(createReadStream(file), archive.entry({ ...header, size }));
      bytes += size;
    }
  }
  return bytes;
}

function sorted(entries: readonly LayerEntry[]): readonly LayerEntry[] {
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  return [...byName.keys()].sort().flatMap((name) => byName.get(name) ?? []);
}

function pax(seconds: number): { readonly pax: Record<string, string> } {
  return { pax: { mtime: String(seconds) } };
}

function ancestors(name: string): readonly string[] {
  const parts = name.split("/").slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}
