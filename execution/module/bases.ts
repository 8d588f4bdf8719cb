import { readFile } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../../errors.ts";

/** A public image that module images stand on. Without a digest its tag decides what it is, which can change. */
export interface BaseImagePin {
  readonly image: string;
  readonly tag: string;
  readonly digest: string | null;
}

/** images/iac-module/bases.json: pinned public images, and the versions of package managers that builds install. */
export interface ModuleBases {
  readonly images: Readonly<Record<string, BaseImagePin>>;
  readonly programs: Readonly<Record<string, string>>;
}

/** Below a checkout. */
export const BASES_FILE = "images/iac-module/bases.json";

/** Reads and checks the pins of this checkout. */
export async function readBases(project: string): Promise<ModuleBases> {
  return parseBases(await readFile(path.join(project, BASES_FILE), "utf8"));
}

/** Checks the text of a bases file; throws a usage error that names the first wrong key. */
export function parseBases(text: string): ModuleBases {
  const document = JSON.parse(text) as { images?: unknown; programs?: unknown };
  const images = Object.entries(record(document.images, "images")).map(([name, value]) => {
    const at = `images.${name}`;
    const pin = record(value, at);
    const digest = pin.digest === null ? null : textAt(pin.digest, `${at}.digest`, /^sha256:[0-9a-f]{64}$/);
    const image = textAt(pin.image, `${at}.image`, /^[a-z0-9.-]+\.[a-z]+(\/[a-z0-9._-]+)+$/);
    return [name, { image, tag: textAt(pin.tag, `${at}.tag`, /^(?!latest$)[\w][\w.-]*$/), digest }] as const;
  });
  const programs = Object.entries(record(document.programs, "programs")).map(
    ([name, value]) => [name, textAt(value, `programs.${name}`, /^\d+\.\d+\.\d+$/)] as const,
  );
  return { images: Object.fromEntries(images), programs: Object.fromEntries(programs) };
}

/** The image of a name as a Dockerfile has it: by tag, and by digest where that is pinned. Throws where there is no such pin. */
export function baseReference(bases: ModuleBases, name: string): string {
  const { image, tag, digest } = pinOf(bases, name);
  return digest === null ? `${image}:${tag}` : `${image}:${tag}@${digest}`;
}

/** The version of a package manager that builds install where the module names none. */
export function programVersion(bases: ModuleBases, name: string): string {
  const version = bases.programs[name];
  if (version !== undefined) return version;
  throw new KilnError("usage", `${BASES_FILE} has no version of ${name}`, { mend: `Add programs.${name}.` });
}

/** Whether a reference names an image by its digest, so that it is the same one tomorrow. */
export function isPinned(reference: string): boolean {
  return /@sha256:[0-9a-f]{64}$/.test(reference);
}

/** Those of some references that a tag alone names, each once, sorted. */
export function unpinnedOf(references: readonly string[]): readonly string[] {
  return [...new Set(references.filter((reference) => !isPinned(reference)))].sort();
}

/** What a person is told of a build on unpinned bases, which only a push to a registry of others refuses. */
export function unpinnedText(unpinned: readonly string[]): string {
  return `not pinned by digest: ${unpinned.join(", ")}. Whoever moves the tag changes the image; \`npx kiln module pin\` pins`;
}

/**
 * Refuses a build for others to use on bases that only a tag names: such an image could not be made again. `references` are
 * the images of its stages.
 */
export function requirePinned(references: readonly string[]): void {
  const loose = unpinnedOf(references);
  if (loose.length === 0) return;
  throw new KilnError(
    "usage",
    `an image for a registry needs bases by digest, and these have none: ${loose.join(", ")}`,
    {
      mend: `\`npx kiln module pin\` writes their digests into ${BASES_FILE}. Or name an image by digest with --base-image.`,
    },
  );
}

function pinOf(bases: ModuleBases, name: string): BaseImagePin {
  const pin = bases.images[name];
  if (pin !== undefined) return pin;
  throw new KilnError(
    "usage",
    `${BASES_FILE} has no image for ${name}; it has ${Object.keys(bases.images).join(", ")}`,
    {
      mend: `Add images["${name}"], or name an image with --base-image.`,
    },
  );
}

function record(value: unknown, at: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw wrong(at, "an object", value);
}

function textAt(value: unknown, at: string, pattern: RegExp): string {
  if (typeof value === "string" && pattern.test(value)) return value;
  throw wrong(at, `text like ${String(pattern)}`, value);
}

function wrong(at: string, expected: string, seen: unknown): KilnError {
  return new KilnError(
    "usage",
    `${BASES_FILE}: ${at} must be ${expected}, found ${seen === undefined ? "nothing" : JSON.stringify(seen)}`,
    {
      mend: `Restore ${BASES_FILE} from git, or correct that key.`,
    },
  );
}
