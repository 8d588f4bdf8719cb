import path from "node:path";
import type { RunnerLanguage, RunnerVariant } from "../../release/runner-image.ts";
import { readTextNow } from "../../settings/checkout-document.ts";
import { CATALOGUE_FILE, parseCatalogue } from "./catalogue-reading.ts";

/** A program of an image, the version that it must say, and the command that makes it say so. */
export interface LanguageProgram {
  /** Whole, or its first numbers: `3.11` is said by every 3.11.x. */
  readonly version: string;
  readonly ask: readonly [string, ...string[]];
}

/** A pinned archive, or a single file, for one platform. */
export interface Archive {
  readonly url: string;
  readonly algorithm: "sha256" | "sha512";
  /** Hexadecimal digits. */
  readonly checksum: string;
}

/** Something that is fetched, checked and unpacked: whole into a folder, or some programs of it. */
export interface CatalogueDownload {
  readonly version: string;
  readonly format: "tar.gz" | "zip" | "file";
  /** Folders at the root of the archive that are left away. */
  readonly strip: number;
  /** Where all of it goes; none where `files` says what is taken. */
  readonly folder: string | undefined;
  /** From a place in the archive to one in the image. */
  readonly files: Readonly<Record<string, string>>;
  /** From a place in the image to what it leads to. */
  readonly links: Readonly<Record<string, string>>;
  /** Patterns below the folder: formats that keep no modes. */
  readonly programs: readonly string[];
  /** By platform, `linux/amd64`. */
  readonly archives: Readonly<Record<string, Archive>>;
}

/** What an addition puts into an image. */
export interface CataloguePart {
  /** Packages of the base's distribution. */
  readonly packages: readonly string[];
  /** Names of `downloads`. */
  readonly downloads: readonly string[];
  readonly programs: Readonly<Record<string, LanguageProgram>>;
}

export interface CatalogueLanguage extends CataloguePart {
  /** As project files of Pulumi name it. */
  readonly runtime: string;
  /** Files of Pulumi's release that this language needs; one that ends in `?` not every release has. */
  readonly hosts: readonly string[];
  /** Megabytes, by powers of ten, of the files that an image adds to its base. */
  readonly budget: Readonly<Record<RunnerVariant, number>>;
}

/** The command-line tools of a cloud, which an image has by choice. */
export interface CatalogueCloud extends CataloguePart {
  /** Megabytes that it may add. */
  readonly budget: number;
}

/** images/pulumi-runner/languages.json: what goes into language runners. */
export interface Catalogue {
  readonly base: { readonly image: string; readonly tag: string; readonly digest: string | undefined };
  readonly user: { readonly uid: number; readonly gid: number };
  readonly packages: readonly string[];
  readonly languages: Readonly<Record<RunnerLanguage, CatalogueLanguage>>;
  readonly tools: CataloguePart;
  readonly clouds: Readonly<Record<string, CatalogueCloud>>;
  readonly downloads: Readonly<Record<string, CatalogueDownload>>;
}

/** The catalogue of this checkout. Read and not imported: of a file with a typing error Node says nothing that a person can use. */
export const catalogue: Catalogue = parseCatalogue(
  readTextNow(path.join(import.meta.dirname, "../.."), CATALOGUE_FILE),
);

/** The public image that language runners stand on, by digest where that is pinned. */
export function catalogueBase({ base }: Catalogue): string {
  return `${base.image}:${base.tag}${base.digest === undefined ? "" : `@${base.digest}`}`;
}
