import { readImage } from "../../registry/compose.ts";
import { parseReference } from "../../registry/image-reference.ts";
import { places } from "../../toolchain/places.ts";
import { findTool } from "../../toolchain/resolve.ts";
import { releaseOfLabels, type RunnerRelease } from "./freshness.ts";

/**
 * The runner release that an image records in its labels. Nothing where it records none, or where the registry client is not
 * installed or the registry does not answer: a preview says then that the age is not known.
 */
export async function recordedRelease(image: string): Promise<RunnerRelease | undefined> {
  const regctl = await findTool("regctl", { places: places() });
  if (regctl === undefined) return undefined;
  try {
    const { config } = await readImage({ regctl: regctl.path }, parseReference(image));
    return releaseOfLabels(config.config?.Labels ?? {});
  } catch {
    return undefined;
  }
}
