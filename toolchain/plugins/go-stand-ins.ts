import path from "node:path";
import type { Progress } from "../../progress.ts";
import { readyGoPrograms } from "../go-programs.ts";
import { platformName } from "../pins.ts";
import type { Places } from "../places.ts";
import { resolveTool } from "../resolve.ts";

/** The Go module of the stand-ins. */
const PROGRAMS = {
  name: "go-stand-ins",
  source: path.join(import.meta.dirname, "go-host"),
  packages: ["./..."],
  what: "the stand-ins for Pulumi's Go host and providers",
};

/** What the module builds: Pulumi's Go host, a provider of any package, and a recorder of network attempts. */
export const GO_STAND_INS = {
  languageHost: "pulumi-language-go",
  provider: "pulumi-resource-stand-in",
  recorder: "record-attempts",
} as const;

/**
 * The folder that holds the stand-ins as static Linux binaries of this machine's architecture; builds them where the
 * tool cache lacks them. For tests of images: they are mounted into containers and never part of an image.
 */
export async function readyGoStandIns(places: Places, progress: Progress): Promise<string> {
  const go = await resolveTool("go", { places, progress });
  return readyGoPrograms(PROGRAMS, go, platformName("linux"), { places, progress });
}
