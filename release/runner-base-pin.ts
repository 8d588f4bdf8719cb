import { rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../errors.ts";
import { CATALOGUE_FILE, parseCatalogue } from "../execution/language/catalogue-reading.ts";
import { readDigest, type RegistryClient } from "../registry/client.ts";
import { parseReference } from "../registry/image-reference.ts";
import { readText } from "../settings/checkout-document.ts";
import { mirroredReference } from "../toolchain/base-image.ts";

/** The base of language runners, and what its registry says of it. */
export interface RunnerBasePin {
  /** By tag: `docker.io/library/debian:bookworm-slim`. */
  readonly image: string;
  /** What the catalogue has. */
  readonly before: string | null;
  /** What the tag stands for now: of an index, not of one platform. */
  readonly digest: string;
}

/**
 * Asks the registry for the digest of the base that language runners stand on, and writes it into the catalogue of a checkout
 * unless `write` is false. Throws where the registry cannot be asked, or has no such tag; the catalogue is then as it was.
 */
export async function pinRunnerBase(
  project: string,
  options: {
    readonly client: RegistryClient;
    /** What serves the images of Docker Hub in its place. */
    readonly mirror: string | undefined;
    readonly write: boolean;
  },
): Promise<RunnerBasePin> {
  const file = path.join(project, CATALOGUE_FILE);
  const text = await readText(project, CATALOGUE_FILE);
  const { base } = parseCatalogue(text);
  const image = `${base.image}:${base.tag}`;
  const digest = await lookUp(image, options.client, options.mirror);
  if (options.write && digest !== base.digest) {
    await writeFile(`${file}.partial`, pinnedCatalogue(text, digest));
    await rename(`${file}.partial`, file);
  }
  return { image, before: base.digest ?? null, digest };
}

/** The text of a catalogue with the digest of its base in it, and every other character as it was. Pure. */
export function pinnedCatalogue(text: string, digest: string): string {
  const made = text.replace(/("base":\s*\{[^{}]*"digest":\s*)(?:null|"[^"]*")/, `$1"${digest}"`);
  if (parseCatalogue(made).base.digest === digest) return made;
  throw new KilnError("usage", `${CATALOGUE_FILE}: base.digest cannot be written`, {
    mend: `Write it by hand: ${digest}.`,
  });
}

async function lookUp(image: string, client: RegistryClient, mirror: string | undefined): Promise<string> {
  let digest: string | undefined;
  try {
    digest = await readDigest(client, parseReference(mirroredReference(image, mirror)));
  } catch (error) {
    if (!(error instanceof KilnError) || error.kind !== "unreachable") throw error;
    throw new KilnError("unreachable", `${image} cannot be looked up: ${error.message}`, {
      mend:
        `${CATALOGUE_FILE} stays as it is. Run the command where that registry can be reached, or name a mirror of Docker ` +
        "Hub in KILN_DOCKER_MIRROR; or release on a base by digest with --base-image.",
      cause: error,
    });
  }
  if (digest !== undefined) return digest;
  throw new KilnError("usage", `there is no ${image}`, {
    mend: `Raise base.tag of ${CATALOGUE_FILE} to one that there is.`,
  });
}
