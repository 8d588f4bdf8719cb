import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { extract, type Header } from "tar-stream";
import { KilnError, messageOf } from "../../errors.ts";
import { readLayerInto } from "../../registry/layer-content.ts";
import { throwIfInterrupted } from "../../toolchain/process.ts";
import { installedReader } from "./installed-package.ts";
import type { Package } from "./package.ts";

/** What one layer says of packages. */
export interface LayerPackages {
  /** dpkg's list of what is installed: a later layer's replaces an earlier one's. */
  readonly dpkgStatus?: string;
  readonly osRelease?: string;
  /** Go's file VERSION. */
  readonly goVersion?: string;
  /** Go modules with a folder in the module cache, as `path@version`. */
  readonly modules: readonly string[];
  /** What package managers of languages say of themselves: npm, Python, and the list of a language runner. */
  readonly installed: readonly Package[];
  /** Programs that were written to the folder of the caller, by their names there: their paths in the image. */
  readonly programs: Readonly<Record<string, string>>;
}

/** Text files that say something, by their paths, and the largest that is read. */
const TEXTS: Readonly<Record<string, "dpkgStatus" | "osRelease" | "goVersion">> = {
  "var/lib/dpkg/status": "dpkgStatus",
  "usr/lib/os-release": "osRelease",
  "etc/os-release": "osRelease",
  "usr/local/go/VERSION": "goVersion",
};
const TEXT_BYTES = 64_000_000;
/** A larger file is none that a package manager wrote. */
const LISTING_BYTES = 4_000_000;

/** Folders with programs that no package manager knows. Go's own tools have the standard library alone. */
const PROGRAMS = /^(?:usr\/local\/(?:bin|lib\/kiln)|opt|home)\//;
const PROGRAM_BYTES = 1_000_000_000;

const MODULE = /^var\/cache\/go-mod\/(?!cache\/)([^@]+)@(v[^/]+)\//;

/** More than any layer has; whoever may push decides what a layer is. */
const ENTRIES = 4_000_000;

/** Reads a layer's archive once, and writes the programs in it to `folder`. Throws where it is no archive. */
export async function readLayerPackages(file: string, mediaType: string, folder: string): Promise<LayerPackages> {
  await mkdir(folder, { recursive: true });
  const texts: Partial<Record<"dpkgStatus" | "osRelease" | "goVersion", string>> = {};
  const modules = new Set<string>();
  const installed: Package[] = [];
  const programs: Record<string, string> = {};
  const archive = extract();
  const reading = readLayerInto(file, mediaType, archive);
  // Awaited below; until then a failure must not count as nobody's.
  reading.catch(() => undefined);
  try {
    let entries = 0;
    for await (const content of archive) {
      throwIfInterrupted();
      if ((entries += 1) > ENTRIES) throw new Error(`it has more than ${ENTRIES} entries`);
      const { header } = content;
      const name = header.name.replace(/^(?:\.?\/)+/, "");
      const module = MODULE.exec(`${name}/`);
      if (module) modules.add(`${unescaped(module[1] ?? "")}@${unescaped(module[2] ?? "")}`);
      const text = Object.hasOwn(TEXTS, name) && header.type === "file" ? TEXTS[name] : undefined;
      const listing = header.type === "file" && header.size <= LISTING_BYTES ? installedReader(name) : undefined;
      if (text !== undefined) texts[text] = await readText(content as AsyncIterable<Buffer>, header);
      else if (listing !== undefined)
        installed.push(...listing(await readText(content as AsyncIterable<Buffer>, header)));
      else if (isProgram(name, header)) {
        const own = String(Object.keys(programs).length);
        await pipeline(content as AsyncIterable<Buffer>, createWriteStream(path.join(folder, own)));
        programs[own] = name;
      }
      content.resume();
    }
    await reading;
  } catch (error) {
    archive.destroy();
    await reading.catch(() => undefined);
    if (error instanceof KilnError) throw error;
    throw new KilnError("failed", `a layer cannot be read: ${messageOf(error)}`, {
      mend: "Run the command again; if it stays so, the image is damaged: bake it again.",
      cause: error,
    });
  }
  return { ...texts, modules: [...modules].sort(), installed, programs };
}

/** Go's escaping of module paths in its cache, undone. */
export function unescaped(name: string): string {
  return name.replace(/!([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function isProgram(name: string, { type, mode, size }: Header): boolean {
  return type === "file" && (mode & 0o111) !== 0 && size > 0 && size <= PROGRAM_BYTES && PROGRAMS.test(name);
}

async function readText(content: AsyncIterable<Buffer>, { size }: Header): Promise<string> {
  if (size > TEXT_BYTES) throw new Error(`one of its files has ${size} bytes`);
  const parts: Buffer[] = [];
  for await (const part of content) parts.push(part);
  return Buffer.concat(parts).toString("utf8");
}
