import { access, constants, mkdir, readFile, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { KilnError } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { goSourceKey, readyGoPrograms } from "./go-programs.ts";
import type { Places } from "./places.ts";

/** What the program is built with and for. */
export interface GocacheOptions {
  readonly places: Places;
  /** The GOROOT of the pinned toolchain. */
  readonly goRoot: string;
  /** `amd64` or `arm64`: what the image runs on. */
  readonly goarch: string;
  readonly progress: Progress;
}

const PROGRAMS = {
  name: "gocache",
  source: path.join(import.meta.dirname, "../images/programs"),
  packages: ["./gocache"],
  what: "the program that serves packed caches",
};

/** The path of `gocache` (images/programs/gocache) as a static Linux program; builds it where the tool cache lacks it. */
export async function readyGocache(options: GocacheOptions): Promise<string> {
  const { goRoot, goarch, progress } = options;
  const go = { root: goRoot, version: await goVersionOf(goRoot) };
  const places = { ...options.places, cache: await writableCache(options.places.cache) };
  return path.join(await readyGoPrograms(PROGRAMS, go, `linux-${goarch}`, { places, progress }), PROGRAMS.name);
}

/** A digest of the program's sources and of the Go version that it is built with. */
export function gocacheKey(goVersion: string): Promise<string> {
  return goSourceKey(PROGRAMS.source, goVersion, PROGRAMS.packages);
}

/**
 * The tool cache, or where its user cannot write there, as in a pod with a read-only root, a folder of their own among
 * temporary files. Throws where somebody else has that folder.
 */
async function writableCache(cache: string): Promise<string> {
  try {
    await mkdir(cache, { recursive: true });
    await access(cache, constants.W_OK);
    return cache;
  } catch {
    const own = path.join(tmpdir(), `kiln-${process.getuid?.() ?? "cache"}`);
    await mkdir(own, { recursive: true, mode: 0o700 });
    if ((await stat(own)).uid === process.getuid?.()) return own;
    throw new KilnError("failed", `${cache} cannot be written, and ${own} is another user's`, {
      mend: "Set KILN_CACHE_DIR to a folder of your own.",
    });
  }
}

/** The version that a GOROOT says of itself, such as `go1.26.8`. */
async function goVersionOf(goRoot: string): Promise<string> {
  const file = path.join(goRoot, "VERSION");
  const version = await readFile(file, "utf8").then(
    (text) => text.split("\n")[0]?.trim() ?? "",
    () => "",
  );
  if (!version.startsWith("go")) throw new KilnError("failed", `${file} names no Go version: ${goRoot} is no GOROOT`);
  return version;
}
