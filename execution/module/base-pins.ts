import { readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import { readDigest, type RegistryClient } from "../../registry/client.ts";
import { parseReference } from "../../registry/image-reference.ts";
import { mirroredReference } from "../../toolchain/base-image.ts";
import { BASES_FILE, parseBases, type ModuleBases } from "./bases.ts";

/** A base image, and what its registry says of it. */
export interface BasePin {
  /** The key in the bases file. */
  readonly name: string;
  /** By tag: `docker.io/library/debian:bookworm-slim`. */
  readonly image: string;
  /** What the file has. */
  readonly before: string | null;
  /** What the tag stands for now: of an index, not of one platform. */
  readonly digest: string;
}

export interface LookUp {
  readonly client: RegistryClient;
  /** Keys of images; none means all. */
  readonly names: readonly string[];
  /** What serves the images of Docker Hub in its place. */
  readonly mirror: string | undefined;
  readonly progress: Progress;
}

/** Asks the registries what the tags of base images stand for. Throws where one cannot be asked, or has no such tag. */
export async function lookUpBases(bases: ModuleBases, options: LookUp): Promise<readonly BasePin[]> {
  const { client, mirror, progress } = options;
  const names = options.names.length === 0 ? Object.keys(bases.images) : [...new Set(options.names)];
  const found: BasePin[] = [];
  for (const [at, name] of names.entries()) {
    const pin = bases.images[name];
    if (pin === undefined) throw unknown(name, bases);
    const image = `${pin.image}:${pin.tag}`;
    progress.update(image, at + 1, names.length);
    const digest = await readDigest(client, parseReference(mirroredReference(image, mirror)));
    if (digest === undefined) {
      throw new KilnError("usage", `there is no ${image}`, {
        mend: `Raise images["${name}"].tag of ${BASES_FILE} to one that there is.`,
      });
    }
    found.push({ name, image, before: pin.digest, digest });
  }
  return found;
}

/** The text of a bases file with the digests of `pins` in it, and everything else as it was. */
export function pinnedBases(text: string, pins: readonly BasePin[]): string {
  const document = JSON.parse(text) as { readonly images: Readonly<Record<string, object>> };
  const pinned = pins.map(({ name, digest }) => [name, { ...document.images[name], digest }] as const);
  const changed = { ...document, images: { ...document.images, ...Object.fromEntries(pinned) } };
  const made = `${JSON.stringify(changed, null, 2)}\n`;
  parseBases(made);
  return made;
}

/**
 * Looks base images up, and writes what changed into the bases file of a checkout unless `write` is false. All are looked up
 * before one is written, so the file is the old one or the new one.
 */
export async function pinBases(
  project: string,
  options: LookUp & { readonly write: boolean },
): Promise<readonly BasePin[]> {
  const file = path.join(project, BASES_FILE);
  const text = await readFile(file, "utf8");
  const pins = await lookUpBases(parseBases(text), options);
  if (!options.write || pins.every(({ before, digest }) => before === digest)) return pins;
  await writeFile(`${file}.partial`, pinnedBases(text, pins));
  await rename(`${file}.partial`, file);
  return pins;
}

function unknown(name: string, bases: ModuleBases): KilnError {
  return new KilnError("usage", `${BASES_FILE} has no image ${name}`, {
    mend: `Choose of: ${Object.keys(bases.images).join(", ")}.`,
  });
}
