import { KilnError } from "../../errors.ts";
import type { JobDescription } from "./description.ts";
import type { JobInput } from "./input-folder.ts";

/**
 * A description with the checksum of the folder that its scripts come from. One that has a checksum already, as in a replay,
 * must have the same: else throws an error of kind `difference`.
 */
export function pinInput(description: JobDescription, { sha256 }: JobInput): JobDescription {
  const { source } = description;
  if (source.kind !== "directory") return description;
  if (source.sha256 === undefined || source.sha256 === sha256) return { ...description, source: { ...source, sha256 } };
  throw new KilnError("difference", `the scripts in ${source.path} are not those that the job ran`, {
    mend: "Put them back as they were, or run the job anew (`kiln job run`).",
  });
}
