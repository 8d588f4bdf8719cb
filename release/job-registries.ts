import { isMap } from "../cache/document.ts";
import { KilnError } from "../errors.ts";
import { parseDocument, readText } from "../settings/checkout-document.ts";
import { addresses, isAddress } from "./runner-registries.ts";

/** Below a checkout: where its job runners are pushed. */
export const JOB_REGISTRIES_FILE = "images/job-runner/registries.json";

/** Reads and checks the registries of a checkout: the first is pushed to, the others mirror it. */
export async function readJobRegistries(project: string): Promise<readonly string[]> {
  return parseJobRegistries(await readText(project, JOB_REGISTRIES_FILE));
}

/** Checks the text of that file. Throws a usage error that names the file, and the first wrong key. */
export function parseJobRegistries(text: string): readonly string[] {
  const document = parseDocument(text, JOB_REGISTRIES_FILE);
  return addresses(isMap(document) ? document.registries : undefined, "registries", JOB_REGISTRIES_FILE);
}

/** Those that are given in place of the file's, if any. Throws a usage error on what is no address. */
export function givenJobRegistries(registries: readonly string[], given: readonly string[]): readonly string[] {
  for (const address of given) {
    if (isAddress(address)) continue;
    throw new KilnError("usage", `--registry ${address} is no registry with a path`, {
      mend: "Write such as ghcr.io/owner/repository, docker.io/owner or localhost:5180/kiln.",
    });
  }
  return given.length > 0 ? given : registries;
}
