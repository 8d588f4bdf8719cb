import { readFile } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { readyGoPrograms } from "./go-programs.ts";
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
  const { goRoot, goarch } = options;
  const go = { root: goRoot, version: await goVersionOf(goRoot) };
  return path.join(await readyGoPrograms(PROGRAMS, go, `linux-${goarch}`, options), PROGRAMS.name);
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
