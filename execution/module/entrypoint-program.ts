import { stat } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import type { Engine } from "../../toolchain/docker-engine.ts";
import { readyGoPrograms, type GoPrograms } from "../../toolchain/go-programs.ts";
import type { Places } from "../../toolchain/places.ts";
import { readyProgramImage } from "../../toolchain/program-image.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import { ENTRYPOINT_PATH } from "./dockerfile.ts";

/** The most that the program may have, in bytes: it is copied into running containers too. */
export const ENTRYPOINT_LIMIT = 8 * 1024 ** 2;

const PROGRAMS: GoPrograms = {
  name: "entrypoint",
  source: path.join(import.meta.dirname, "../../images/programs"),
  packages: ["./entrypoint"],
  what: "the entrypoint of module and job containers",
};

/**
 * The entrypoint as a static Linux program for `platform` (`linux/arm64`); built where the tool cache lacks it. Throws "failed"
 * where it has grown beyond its limit.
 */
export async function readyEntrypoint(
  platform: string,
  { places, progress }: { readonly places: Places; readonly progress: Progress },
): Promise<string> {
  const go = await resolveTool("go", { places, progress });
  const home = await readyGoPrograms(PROGRAMS, go, platform.replace("/", "-"), { places, progress });
  const program = path.join(home, "entrypoint");
  const { size } = await stat(program);
  if (size <= ENTRYPOINT_LIMIT) return program;
  throw new KilnError("failed", `${program} has ${size} bytes, and its limit is ${ENTRYPOINT_LIMIT}`, {
    mend: "Take out of images/programs what made it larger, or raise the limit with a reason.",
  });
}

/** The same as an image of that one file: what is published, and what other images copy it from. Returns its reference. */
export async function readyEntrypointImage(
  engine: Engine,
  platform: string,
  at: { readonly places: Places; readonly progress: Progress },
): Promise<string> {
  const file = await readyEntrypoint(platform, at);
  const image = { name: "kiln-entrypoint", platform, files: [{ to: ENTRYPOINT_PATH, file }] };
  return readyProgramImage(engine, image, at.places);
}
