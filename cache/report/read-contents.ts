import { readFile } from "node:fs/promises";
import path from "node:path";
import { KilnError, messageOf } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import { readDigest, type RegistryClient } from "../../registry/client.ts";
import { readImage, type Image } from "../../registry/compose.ts";
import { parseReference } from "../../registry/image-reference.ts";
import { isMap } from "../document.ts";
import { MANIFEST_FILE, readManifest } from "../manifest.ts";
import { readPackages } from "../packages-document.ts";
import { reportCache, reportImage } from "../report.ts";
import { isFile } from "../source-files.ts";
import type { Verification } from "../verify.ts";
import { readCacheSizes } from "./cache-sizes.ts";
import type { Contents } from "./contents.ts";
import { imageSizes } from "./image-sizes.ts";
import type { PackageSize } from "./size-tree.ts";

export interface ReadOptions {
  /** Called where an image is to be read. */
  readonly client: () => Promise<RegistryClient>;
  readonly platform: string;
  /** Whether to look into layers: reads all of a cache directory, and what is attached to an image. */
  readonly sizes: boolean;
  readonly progress: Progress;
}

/** Reads what a cache directory holds. */
export async function readCacheContents(directory: string, { sizes, progress }: ReadOptions): Promise<Contents> {
  const manifest = await readManifest(directory);
  const report = await reportCache(directory, manifest);
  if (sizes) progress.step(`measuring ${directory}`);
  return { name: directory, report, ...(sizes ? { sizes: await readCacheSizes(directory, manifest, progress) } : {}) };
}

/** Reads what an image holds, and what of it is new to somebody who has another one. */
export async function readImageContents(
  reference: string,
  against: Image | undefined,
  options: ReadOptions,
): Promise<{ readonly contents: Contents; readonly image: Image }> {
  const client = await options.client();
  const image = await readImage(client, parseReference(reference), options.platform);
  const sizes = options.sizes ? await attachedSizes(client, reference, options.progress) : undefined;
  const contents = { name: reference, report: reportImage(image, against), ...(sizes === undefined ? {} : { sizes }) };
  return { contents, image };
}

/** The sizes of an image's packages; nothing, with a note, where nothing is attached to it that says them. */
async function attachedSizes(
  client: RegistryClient,
  reference: string,
  progress: Progress,
): Promise<readonly PackageSize[] | undefined> {
  const parsed = parseReference(reference);
  const digest = parsed.digest ?? (await readDigest(client, parsed));
  if (digest === undefined) return undefined;
  try {
    return imageSizes(await readPackages(client, { repository: parsed.repository, digest }));
  } catch (error) {
    if (!(error instanceof KilnError) || error.kind !== "usage") throw error;
    progress.note(`${error.message}: the page shows its layers alone`);
    return undefined;
  }
}

/** Whether a path is a cache directory, and not the name of an image. */
export function isCacheDirectory(name: string): Promise<boolean> {
  return isFile(path.join(name, MANIFEST_FILE));
}

/** Reads what `kiln cache verify --json` printed. */
export async function readVerification(file: string): Promise<Verification> {
  let found: unknown;
  try {
    found = JSON.parse(await readFile(file, "utf8"));
  } catch (cause) {
    throw notVerified(file, messageOf(cause), cause);
  }
  const programs = isMap(found) ? found.programs : undefined;
  const sound =
    Array.isArray(programs) &&
    programs.every(
      (check: unknown) => isMap(check) && typeof check.directory === "string" && typeof check.firstSeconds === "number",
    );
  if (!sound) throw notVerified(file, "it has no programs with times");
  return found as Verification;
}

function notVerified(file: string, why: string, cause?: unknown): KilnError {
  return new KilnError("usage", `${file} is no verification: ${why}`, {
    mend: "Write one with `npx kiln cache verify --json … > FILE`.",
    cause,
  });
}
